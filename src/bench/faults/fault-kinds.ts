/**
 * What can be done to a run while it is under load: one row a fault. `to` is what it strikes; `lasts` false = it is over at
 * once and takes no `for`; `options` are its keys besides at, do, which and for.
 */
export const storeNames = ["cassandra", "redis", "postgres", "s3", "kafka"] as const;
export type StoreName = (typeof storeNames)[number];

interface FaultKindRow {
  readonly does: string;
  readonly to: "server" | "store" | "link";
  readonly lasts: boolean;
  readonly options: readonly ("latency" | "jitter" | "bandwidth")[];
}

export const faultKinds = {
  "server.kill": {
    does: "SIGKILL to a server process, which is started again afterwards",
    to: "server",
    lasts: true,
    options: [],
  },
  "server.pause": { does: "SIGSTOP, and SIGCONT afterwards", to: "server", lasts: true, options: [] },
  "store.kill": {
    does: "SIGKILL to a process of a store and its children, which is started again on its data afterwards",
    to: "store",
    lasts: true,
    options: [],
  },
  "store.pause": {
    does: "SIGSTOP to a process of a store and its children, and SIGCONT afterwards",
    to: "store",
    lasts: true,
    options: [],
  },
  "store.flush": { does: "FLUSHALL", to: "store", lasts: false, options: [] },
  "proxy.latency": {
    does: "bytes arrive later, either way",
    to: "link",
    lasts: true,
    options: ["latency", "jitter"],
  },
  "proxy.throttle": {
    does: "so many bytes a second pass in each direction",
    to: "link",
    lasts: true,
    options: ["bandwidth"],
  },
  "proxy.cut": { does: "connections are reset, and new ones as well", to: "link", lasts: true, options: [] },
  "proxy.half_open": {
    does: "the far ends of all connections are gone, the near ones are not told; reset afterwards",
    to: "link",
    lasts: true,
    options: [],
  },
  "proxy.reset": { does: "connections are reset once", to: "link", lasts: false, options: [] },
} as const satisfies Readonly<Record<string, FaultKindRow>>;

export type FaultKind = keyof typeof faultKinds;
export const faultKindNames = Object.keys(faultKinds) as FaultKind[];

/** A fault of a scenario; times in ms since t0. Options that its kind does not have are undefined. */
export interface FaultSpec {
  readonly atMs: number;
  readonly do: FaultKind;
  /** `server-2`, a process of a store, or for links `clients`, a server or a store. */
  readonly which: string;
  /** 0 for those that are over at once. */
  readonly forMs: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly bytesPerSecond: number;
}

/** The store that a process belongs to: `cassandra-2` is one of `cassandra`. */
export function storeOfProcess(which: string): StoreName | undefined {
  const name = which.replace(/-\d+$/, "");
  return storeNames.find((store) => store === name);
}

/** As the scenario says it: `server.kill server-2`. */
export function faultText({ do: kind, which }: Pick<FaultSpec, "do" | "which">): string {
  return `${kind} ${which}`;
}
