import type { Clock } from "../../base/clock.ts";
import type { PresenceInterest } from "../../core/ports/presence.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { answered } from "./errors.ts";
import type { RedisClient } from "./connect.ts";
import type { NodeLease } from "./lease.ts";
import type { Losses } from "./losses.ts";
import { parseClaim } from "./peers.ts";
import { pipelined } from "./pipelined.ts";
import { scripts } from "./scripts.ts";

export interface PresenceInterestOptions {
  readonly clock: Clock;
  readonly losses: Losses;
  /** Tells the process of a claim, node:epoch, of these users. */
  readonly send: (claim: string, userIds: readonly Uuid[]) => void;
  /** Told of what failed in the background; must not throw. */
  readonly onError: (error: unknown) => void;
  /** Runs something at the end of this turn of the event loop. */
  readonly soon: (run: () => void) => void;
}

/** An interest outlives its process by this. */
const interestTtlMs = 60_000;
const rewriteEveryMs = 25_000;
/** Processes told of one user; as many as there can be. */
const watchersMax = 1_024;
/** Users written or looked up at once. */
const batchUsersMax = 500;
/** Users with news that wait; beyond it those who watch find out when they look. */
const newsMax = 100_000;

interface Wanted {
  /** Under which claim Redis was told, and when (monotonic, ms); "" = not yet, or it may have forgotten. */
  claim: string;
  atMs: number;
}

/**
 * Who wants to hear of a user's presence: watch:{u}, ZSET node:epoch → when it ends.
 *
 * A process writes its interest before it looks, and a process stores a change before it reads the interests, so that one of
 * the two sees the other: no change is missed between a look and the next one. All news of one turn are looked up
 * together, and go to each process as one entry of its next batch.
 */
export class RedisPresenceInterest implements PresenceInterest {
  readonly #redis: RedisClient;
  readonly #lease: NodeLease;
  readonly #options: PresenceInterestOptions;
  /** As many as users are watched here. */
  readonly #wanted = new Map<Uuid, Wanted>();
  readonly #news = new Set<Uuid>();
  #isPlanned = false;
  #onTold: (userIds: readonly Uuid[]) => void = () => {};

  constructor(redis: RedisClient, lease: NodeLease, options: PresenceInterestOptions) {
    this.#redis = redis;
    this.#lease = lease;
    this.#options = options;
    options.losses.onLost(() => {
      for (const wanted of this.#wanted.values()) wanted.claim = "";
    });
  }

  async want(userIds: readonly Uuid[]): Promise<void> {
    const { claim } = this.#lease;
    const now = this.#options.clock.monotonicMs();
    const due = userIds.filter((userId) => {
      const wanted = this.#wanted.get(userId);
      return wanted?.claim !== claim || now - wanted.atMs >= rewriteEveryMs;
    });
    for (const userId of due) if (!this.#wanted.has(userId)) this.#wanted.set(userId, { claim: "", atMs: now });
    for (let from = 0; from < due.length; from += batchUsersMax) {
      await Promise.all(due.slice(from, from + batchUsersMax).map((userId) => this.#write(userId, claim, now)));
    }
  }

  async release(userIds: readonly Uuid[]): Promise<void> {
    const known = userIds.filter((userId) => this.#wanted.delete(userId));
    if (known.length === 0) return;
    const { commands, keys } = this.#redis;
    const pipeline = commands.pipeline();
    for (const userId of known) pipeline.zrem(keys.watchers(userId), this.#lease.claim);
    // What is not taken back ends by itself; until then this process hears what it does not need.
    await pipelined(pipeline.exec()).catch(this.#options.onError);
  }

  tell(userId: Uuid): void {
    if (this.#redis.lost() || this.#news.size >= newsMax) return;
    this.#news.add(userId);
    this.#plan();
  }

  onTold(handler: (userIds: readonly Uuid[]) => void): void {
    this.#onTold = handler;
  }

  /** From another process. */
  told(userIds: readonly Uuid[]): void {
    this.#onTold(userIds);
  }

  async #write(userId: Uuid, claim: string, atMs: number): Promise<void> {
    const wanted = this.#wanted.get(userId);
    // Released while those before it were written: nobody would take it back any more.
    if (wanted === undefined) return;
    const args = [claim, interestTtlMs, watchersMax];
    await this.#redis.run(scripts.presenceWant, [this.#redis.keys.watchers(userId)], args);
    wanted.claim = claim;
    wanted.atMs = atMs;
  }

  #plan(): void {
    if (this.#isPlanned || this.#news.size === 0) return;
    this.#isPlanned = true;
    this.#options.soon(() => {
      this.#sendNews()
        .catch(this.#options.onError)
        .finally(() => {
          this.#isPlanned = false;
          this.#plan();
        });
    });
  }

  async #sendNews(): Promise<void> {
    const userIds = [...this.#news].slice(0, batchUsersMax);
    for (const userId of userIds) this.#news.delete(userId);
    const { commands, keys } = this.#redis;
    const pipeline = commands.pipeline();
    for (const userId of userIds) pipeline.zrange(keys.watchers(userId), "0", String(watchersMax - 1));
    const answers = (await answered(pipelined(pipeline.exec()))) as readonly string[][];
    const newsOf = new Map<string, { claim: string; readonly users: Set<Uuid> }>();
    for (const [at, claims] of answers.entries()) {
      for (const claim of claims) {
        // One process under two epochs is one process.
        const { node } = parseClaim(claim);
        const news = newsOf.get(node) ?? { claim, users: new Set() };
        newsOf.set(node, news);
        news.claim = claim;
        news.users.add(userIds[at] as Uuid);
      }
    }
    for (const { claim, users } of newsOf.values()) this.#options.send(claim, [...users]);
  }
}
