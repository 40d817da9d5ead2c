import type { CorePorts } from "../../../src/core/api.ts";

/**
 * Ports of a process that may be killed: from then on none of its operations answers, so that nothing in it goes on.
 * What the stores were already asked to do, they still do.
 */
export interface MortalPorts {
  readonly ports: CorePorts;
  /** Resolves at the death, for whoever was connected. */
  readonly death: Promise<void>;
  readonly dead: boolean;
  kill(): void;
}

const stores = ["log", "lists", "receipts", "groups", "fanOut", "users", "relations", "settings", "media"] as const;

export function mortalPorts(ports: CorePorts): MortalPorts {
  const { promise: death, resolve } = Promise.withResolvers<void>();
  let dead = false;
  const gate = async <T>(answer: () => Promise<T>): Promise<T> => {
    if (dead) return new Promise<T>(() => undefined);
    try {
      return await answer();
    } finally {
      if (dead) await new Promise<void>(() => undefined);
    }
  };
  const mortal = Object.fromEntries(stores.map((name) => [name, guard(ports[name], gate)]));
  const bus = {
    deliver: (delivery: Parameters<CorePorts["bus"]["deliver"]>[0]) => {
      if (!dead) ports.bus.deliver(delivery);
    },
    announce: (notice: Parameters<CorePorts["bus"]["announce"]>[0]) => {
      return dead ? new Promise<boolean>(() => undefined) : ports.bus.announce(notice);
    },
    hearing: () => ports.bus.hearing(),
    subscribe: ports.bus.subscribe.bind(ports.bus),
  };
  return {
    ports: { ...ports, ...(mortal as Partial<CorePorts>), bus },
    death,
    get dead() {
      return dead;
    },
    kill() {
      dead = true;
      resolve();
    },
  };
}

function guard<P extends object>(port: P, gate: <T>(answer: () => Promise<T>) => Promise<T>): P {
  return new Proxy(port, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => gate(() => Reflect.apply(value, target, args) as Promise<unknown>);
    },
  });
}
