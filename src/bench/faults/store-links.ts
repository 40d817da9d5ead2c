import { BenchError } from "../driver/bench-error.ts";
import type { StoreName } from "./fault-kinds.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

/** Where a server is told a store's address, and what of it is host:port. */
const addressVariables: Readonly<Record<Exclude<StoreName, "kafka">, string>> = {
  cassandra: "MSGR_CASSANDRA__CONTACT_POINTS",
  redis: "MSGR_REDIS__URL",
  postgres: "MSGR_POSTGRES__URL",
  s3: "MSGR_S3__ENDPOINT",
};

/** Proxies between the servers of a run and its stores. */
export interface StoreLinks {
  /** What servers are told, with the proxies in the place of the stores. */
  readonly environment: Readonly<Record<string, string>>;
  readonly links: ReadonlyMap<StoreName, TcpProxy>;
}

export async function openStoreLinks(
  environment: Readonly<Record<string, string>>,
  stores: readonly StoreName[],
): Promise<StoreLinks> {
  const changed: Record<string, string> = { ...environment };
  const links = new Map<StoreName, TcpProxy>();
  for (const store of stores) {
    if (store === "kafka") continue;
    const variable = addressVariables[store];
    const proxy = await startTcpProxy(addressIn(store, environment[variable] ?? ""));
    links.set(store, proxy);
    changed[variable] = throughProxy(environment[variable] ?? "", proxy.address);
  }
  return { environment: changed, links };
}

function addressIn(store: StoreName, said: string): string {
  if (store === "cassandra") {
    if (said !== "" && !said.includes(",")) return said;
    throw unfit(store, "the nodes of a cluster tell each other's addresses");
  }
  const { protocol, hostname, port } = new URL(said);
  if (protocol === "rediss:" || protocol === "https:") throw unfit(store, "its certificate names another host");
  const usual: Readonly<Record<string, string>> = { "redis:": "6379", "postgres:": "5432", "postgresql:": "5432" };
  return `${hostname}:${port === "" ? (usual[protocol] ?? "80") : port}`;
}

function throughProxy(said: string, address: string): string {
  if (!said.includes("://")) return address;
  const url = new URL(said);
  url.host = address;
  return url.href;
}

function unfit(store: StoreName, why: string): BenchError {
  return new BenchError("usage", `No proxy can stand before ${store}: ${why}.`, "Leave its proxy faults out.");
}
