import { connectBareCassandra } from "../../stores/cassandra/bare-client.ts";
import { connectCassandra } from "../../stores/cassandra/connect.ts";
import { connectRedis, type RedisClient } from "../../stores/redis/connect.ts";
import { parseInfo } from "../../stores/redis/inspect.ts";
import { connectPostgresAdmin } from "../../stores/postgres/connect-admin.ts";
import type { StoreAccess } from "../driver/store-access.ts";

/** Which stores a run is on: asked of themselves before it begins, so that a store that will not do is named at once. */
export interface StoreFact {
  readonly name: "cassandra" | "postgres" | "redis";
  readonly version: string;
  /** Without user and password. */
  readonly address: string;
}

/** Throws StoreError: unreachable, a wrong password or version, no schema. */
export async function askCassandra({ cassandra }: StoreAccess): Promise<StoreFact> {
  const session = await connectCassandra(cassandra);
  await session.close();
  const client = await connectBareCassandra(cassandra);
  try {
    const [row] = await client.execute("SELECT release_version FROM system.local", []);
    const version = String(row?.["release_version"]);
    return { name: "cassandra", version, address: `${cassandra.contactPoints}/${cassandra.keyspace}` };
  } finally {
    await client.close();
  }
}

/** Throws StoreError. */
export async function askPostgres({ postgres }: StoreAccess): Promise<StoreFact> {
  const { url, password, timeoutMs } = postgres;
  const session = await connectPostgresAdmin({ url, password, timeoutMs, applicationName: "msgr bench" });
  try {
    const [row] = await session.query("SHOW server_version");
    const { host, pathname } = new URL(url);
    return { name: "postgres", version: String(row?.["server_version"]), address: `${host}${pathname}` };
  } finally {
    await session.close();
  }
}

/** What `INFO` says of a Redis while it works. */
export interface RedisSample {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly usedBytes: number;
  /** Since it started. */
  readonly commands: number;
}

/** A connection beside those of the load, to look at a Redis once a second. */
export class RedisWatch {
  readonly fact: StoreFact;
  readonly #client: RedisClient;

  private constructor(client: RedisClient, version: string) {
    this.#client = client;
    this.fact = { name: "redis", version, address: client.address.text };
  }

  /** Throws StoreError. */
  static async open({ redis }: StoreAccess): Promise<RedisWatch> {
    const client = await connectRedis(redis);
    return new RedisWatch(client, parseInfo(await client.commands.info("server")).version);
  }

  /** Undefined when it does not answer. */
  async sample(): Promise<RedisSample | undefined> {
    try {
      const text = await this.#client.commands.info();
      const value = (name: string): number => Number(new RegExp(`^${name}:(\\S+)`, "m").exec(text)?.[1] ?? 0);
      return {
        cpuSeconds: value("used_cpu_sys") + value("used_cpu_user"),
        rssBytes: value("used_memory_rss"),
        usedBytes: value("used_memory"),
        commands: value("total_commands_processed"),
      };
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#client.close();
  }
}
