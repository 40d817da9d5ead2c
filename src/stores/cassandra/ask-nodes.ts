import type { Client, Host } from "cassandra-driver";

export interface NodeAnswer {
  /** host:port. */
  readonly address: string;
  readonly answers: boolean;
}

/**
 * Asks each node of the data centre something that it knows by itself. One that stands still takes connections, and the
 * driver thinks well of it until a request of its own has failed. Bounded by `timeoutMs`; never rejects.
 */
export async function askNodes(client: Client, datacenter: string, timeoutMs: number): Promise<readonly NodeAnswer[]> {
  const near = client.hosts.values().filter((host) => host.datacenter === datacenter);
  const asked = near.map(async (host) => ({ address: host.address, answers: await answers(client, host, timeoutMs) }));
  return (await Promise.all(asked)).toSorted((one, other) => (one.address < other.address ? -1 : 1));
}

async function answers(client: Client, host: Host, timeoutMs: number): Promise<boolean> {
  try {
    await client.execute("SELECT key FROM system.local", undefined, { host, readTimeout: timeoutMs });
    return true;
  } catch {
    return false;
  }
}
