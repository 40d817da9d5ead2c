import { systemClock } from "../../base/clock.ts";
import { createSystemRandom } from "../../base/random.ts";
import { connectBareCassandra, type BareCassandra } from "../../stores/cassandra/bare-client.ts";
import { connectCassandra } from "../../stores/cassandra/connect.ts";
import { createCassandraConversationLists } from "../../stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../../stores/cassandra/message-log.ts";
import { connectRedis, type RedisClient } from "../../stores/redis/connect.ts";
import { NodeLease } from "../../stores/redis/lease.ts";
import { createRedisPresence, type PresenceMode } from "../../stores/redis/presence.ts";
import type { StoreAccess } from "../driver/store-access.ts";
import { createBareOperations } from "./store-bare-cassandra.ts";
import {
  createAdapterOperations,
  type CassandraOperations,
  type ConversationLists,
  type MessageLog,
} from "./store-operations.ts";
import { createAdapterPresence, createBarePresence, type PresenceClient } from "./store-presence.ts";
import { createPipelineWriter, openRawTickWriter, type TickWriter } from "./store-tick-writer.ts";

/**
 * The connections of one worker to the stores: each is opened when the first workload asks for it, and all are closed
 * together. Errors: StoreError for the adapters, the drivers' own for the bare ones.
 */
export interface CassandraAdapters {
  readonly log: MessageLog;
  readonly lists: ConversationLists;
  readonly operations: CassandraOperations;
}

export class StoreClients {
  readonly #access: Pick<StoreAccess, "cassandra" | "redis">;
  readonly #nodeId: string;
  readonly #opened = new Map<string, Promise<unknown>>();
  readonly #closers: (() => unknown)[] = [];
  readonly #onError: (error: unknown) => void;

  constructor(access: Pick<StoreAccess, "cassandra" | "redis">, nodeId: string, onError: (error: unknown) => void) {
    this.#access = access;
    this.#nodeId = nodeId;
    this.#onError = onError;
  }

  cassandra(): Promise<CassandraAdapters> {
    return this.#once("cassandra", async () => {
      const session = await connectCassandra(this.#access.cassandra);
      this.#closers.push(() => session.close());
      const log = createCassandraMessageLog(session);
      const lists = createCassandraConversationLists(session);
      return { log, lists, operations: createAdapterOperations(log, lists) };
    });
  }

  bareCassandra(): Promise<BareCassandra> {
    return this.#once("bare cassandra", async () => {
      const client = await connectBareCassandra(this.#access.cassandra);
      this.#closers.push(() => client.close());
      return client;
    });
  }

  async operations(client: "adapter" | "bare"): Promise<CassandraOperations> {
    if (client === "adapter") return (await this.cassandra()).operations;
    return createBareOperations(await this.bareCassandra());
  }

  redis(): Promise<RedisClient> {
    return this.#once("redis", async () => {
      const client = await connectRedis(this.#access.redis);
      this.#closers.push(() => client.close());
      return client;
    });
  }

  tickWriter(client: "bare" | "raw"): Promise<TickWriter> {
    return this.#once(`writer ${client}`, async () => {
      const redis = await this.redis();
      if (client === "bare") return createPipelineWriter(redis);
      const writer = await openRawTickWriter({ ...redis, clock: systemClock });
      this.#closers.push(() => writer.close());
      return writer;
    });
  }

  presence(client: "adapter" | "bare" | "raw", mode: PresenceMode): Promise<PresenceClient> {
    return this.#once(`presence ${client} ${mode}`, async () => {
      const redis = await this.redis();
      if (client !== "adapter") return createBarePresence(redis, await this.tickWriter(client));
      const common = { clock: systemClock, onError: this.#onError };
      const lease = new NodeLease(redis, { ...common, nodeId: this.#nodeId, random: createSystemRandom() });
      if (mode === "lease") {
        await lease.start();
        this.#closers.push(() => lease.stop());
      }
      const presence = createRedisPresence(redis, lease, { ...common, mode });
      await presence.start();
      this.#closers.push(() => presence.stop());
      return createAdapterPresence(presence);
    });
  }

  /** Latest first, since some stand on others. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close();
  }

  #once<T>(name: string, open: () => Promise<T>): Promise<T> {
    const known = this.#opened.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const opening = open();
    this.#opened.set(name, opening);
    return opening;
  }
}
