import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { derivedId } from "../data/derived-id.ts";
import { mix32, mixFloat, seedFor } from "../data/mix.ts";
import { partOf } from "../executors/closed.ts";
import type { Share } from "../executors/executor.ts";
import type { StoreLedger } from "../ledger/store-ledger.ts";
import type { RedisClient } from "../../stores/redis/connect.ts";
import type { RedisPresence } from "../../stores/redis/redis-presence.ts";
import type { TickWriter } from "./store-tick-writer.ts";
import type { StoreWork } from "./store-work.ts";

/**
 * The users of one worker who beat, and since when each has to be online: whoever beat less than presenceTtlMs before an
 * answer was given, and is offline in it, is a fault. Shared by the workloads of one presence mode, which write the same keys.
 */
export class BeatingUsers {
  readonly ids: readonly Uuid[];
  readonly #share: Share;
  /** When the last beat that was acknowledged had begun; monotonic ms, −Infinity before the first. */
  readonly #beatAtMs: Float64Array;
  readonly #faultsOf: string[] = [];
  #falseOffline = 0;
  #checked = 0;

  constructor(seed: number, run: number, users: number, share: Share) {
    const idSeed = mix32(seed, run, 2);
    this.#share = share;
    this.ids = Array.from({ length: partOf(users, share) }, (_, index) =>
      derivedId(idSeed, index * share.count + share.index, 0),
    );
    this.#beatAtMs = new Float64Array(this.ids.length).fill(Number.NEGATIVE_INFINITY);
  }

  indexOf(user: number): number {
    return Math.floor(user / this.#share.count);
  }

  acknowledged(index: number, begunAtMs: number): void {
    if (begunAtMs > (this.#beatAtMs[index] as number)) this.#beatAtMs[index] = begunAtMs;
  }

  /** When the last beat that is acknowledged by now had begun; −Infinity without one. */
  beatAtMs(index: number): number {
    return this.#beatAtMs[index] as number;
  }

  /**
   * Enters an answer that was given at or before `nowMs`. `beatAtMs`: as it was when the question was asked, since a beat
   * that was acknowledged later may have come after the look.
   */
  judge(index: number, beatAtMs: number, online: boolean, nowMs: number): void {
    const silentMs = nowMs - beatAtMs;
    if (silentMs >= limits.presenceTtlMs) return;
    this.#checked++;
    if (online) return;
    this.#falseOffline++;
    if (this.#faultsOf.length < casesMax) {
      this.#faultsOf.push(`user ${this.ids[index]} was offline ${Math.round(silentMs)} ms after a heartbeat`);
    }
  }

  /** Once. */
  enter(ledger: StoreLedger): void {
    ledger.presenceChecked += this.#checked;
    const rest = this.#falseOffline - this.#faultsOf.length;
    for (const detail of this.#faultsOf) ledger.faults.add("false_offline", () => detail);
    if (rest > 0) ledger.faults.add("false_offline", () => "more of them", rest);
    this.#checked = 0;
    this.#falseOffline = 0;
    this.#faultsOf.length = 0;
  }
}

const casesMax = 20;
const usersPerLookup = 500;

/** How a workload beats and looks: through our presence, or by hand with the commands that literal presence sends. */
export interface PresenceClient {
  beat(userId: Uuid): Promise<unknown>;
  lookup(userIds: readonly Uuid[]): Promise<readonly boolean[]>;
}

export function createAdapterPresence(presence: RedisPresence): PresenceClient {
  return {
    beat: (userId) => presence.beat(userId, 1, "bench", Date.now()),
    lookup: async (userIds) => (await presence.lookup(userIds, Date.now())).map(({ online }) => online),
  };
}

export function createBarePresence(redis: RedisClient, writer: TickWriter): PresenceClient {
  const { keys, commands } = redis;
  return {
    beat(userId) {
      void writer.set(keys.online(userId), "1", limits.presenceTtlMs).catch(() => {});
      // The promise of everything in this turn, the first command included.
      return writer.set(keys.lastSeen(userId), String(Date.now()), limits.lastSeenTtlMs);
    },
    async lookup(userIds) {
      const pipeline = commands.pipeline();
      for (const userId of userIds) pipeline.mget(keys.online(userId), keys.lastSeen(userId));
      const replies = (await pipeline.exec()) ?? [];
      return replies.map(([error, answer]) => {
        if (error !== null) throw error;
        return (answer as (string | null)[])[0] !== null;
      });
    },
  };
}

/** presence.heartbeat on Redis. */
export class HeartbeatWork implements StoreWork {
  readonly #client: PresenceClient;
  readonly #users: BeatingUsers;
  readonly #sample: { readonly seed: number; readonly share: number };

  /** `share`: of the users who are looked up at the end. */
  constructor(client: PresenceClient, users: BeatingUsers, sample: { readonly seed: number; readonly share: number }) {
    this.#client = client;
    this.#users = users;
    this.#sample = sample;
  }

  run(user: number): Promise<unknown> {
    const users = this.#users;
    const index = users.indexOf(user);
    const begunAtMs = performance.now();
    return this.#client.beat(users.ids[index] as Uuid).then(() => users.acknowledged(index, begunAtMs));
  }

  async verify(ledger: StoreLedger): Promise<void> {
    const { ids } = this.#users;
    const sample = seedFor(this.#sample.seed, "presence");
    const asked = [...ids.keys()].filter((index) => mixFloat(sample, index, 0) < this.#sample.share);
    for (let from = 0; from < asked.length; from += usersPerLookup) {
      await lookUp(this.#client, this.#users, asked.slice(from, from + usersPerLookup));
    }
    this.#users.enter(ledger);
  }
}

/** presence.lookup on Redis. */
export class LookupWork implements StoreWork {
  readonly #client: PresenceClient;
  readonly #users: BeatingUsers;

  constructor(client: PresenceClient, users: BeatingUsers) {
    this.#client = client;
    this.#users = users;
  }

  run(user: number): Promise<unknown> {
    return lookUp(this.#client, this.#users, [this.#users.indexOf(user)]);
  }

  verify(ledger: StoreLedger): Promise<void> {
    this.#users.enter(ledger);
    return Promise.resolve();
  }
}

async function lookUp(client: PresenceClient, users: BeatingUsers, indexes: readonly number[]): Promise<void> {
  const beatsAtMs = indexes.map((index) => users.beatAtMs(index));
  const online = await client.lookup(indexes.map((index) => users.ids[index] as Uuid));
  const nowMs = performance.now();
  for (const [at, index] of indexes.entries()) users.judge(index, beatsAtMs[at] as number, online[at] === true, nowMs);
}
