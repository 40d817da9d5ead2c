import type { Clock, Timer } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { answered } from "./errors.ts";
import type { RedisClient } from "./connect.ts";
import { assertClaims, type NodeLease } from "./lease.ts";
import type { Losses } from "./losses.ts";
import { LocalBeats, type LocalBeat } from "./local-beats.ts";
import { connectionOf } from "./peers.ts";
import { pipelined } from "./pipelined.ts";
import type { RedisPresence } from "./redis-presence.ts";
import { scripts } from "./scripts.ts";

export interface LeasePresenceOptions {
  readonly clock: Clock;
  /** Absent: nobody tells that Redis may have forgotten something. */
  readonly losses?: Pick<Losses, "onLost"> | undefined;
  readonly onError: (error: unknown) => void;
  readonly presenceTtlMs?: number;
  readonly lastSeenTtlMs?: number;
}

/** The key outlives the process by this; it and the time last seen are written again every five minutes. */
const presenceKeyTtlMs = 900_000;
const writeEveryMs = 300_000;
const sweepEveryMs = 1_000;
/** Users written at once after the lease began anew. */
const rewriteUsersMax = 500;
const done = Promise.resolve();

/**
 * Presence where heartbeats end in this process. Redis is told when a connection comes and goes, and every five minutes:
 *
 *   HSET presence:{u} <device> node:epoch:connection    PEXPIRE    SET lastseen:{u} <ms> PX 2592000000
 *
 * The TTL is that of the process's lease: whoever reads drops fields whose node holds no lease of that epoch. This process
 * answers for its connections and withdraws one that did not beat for presenceTtlMs. When its lease began anew, everyone
 * who beats here is written again; after any other loss, with the next beat: Redis may be back with an older memory, in
 * which the lease stands and somebody who came since does not.
 */
export class LeasePresence implements RedisPresence {
  readonly #redis: RedisClient;
  readonly #lease: NodeLease;
  readonly #options: LeasePresenceOptions;
  readonly #presenceTtlMs: number;
  readonly #lastSeenTtlMs: number;
  readonly #beats = new LocalBeats();
  #timer: Timer | undefined;

  constructor(redis: RedisClient, lease: NodeLease, options: LeasePresenceOptions) {
    this.#redis = redis;
    this.#lease = lease;
    this.#options = options;
    this.#presenceTtlMs = options.presenceTtlMs ?? limits.presenceTtlMs;
    this.#lastSeenTtlMs = options.lastSeenTtlMs ?? limits.lastSeenTtlMs;
    lease.onRestart(() => void this.#rewrite().catch(options.onError));
    options.losses?.onLost(() => {
      for (const { beat } of this.#beats.all()) beat.writtenAt = 0;
    });
  }

  async start(): Promise<void> {
    this.#sweep();
  }

  beat(userId: Uuid, device: number, connection: string, at: number): Promise<void> {
    const beat = this.#beats.note(userId, device, connection, at);
    if (beat.claim === this.#lease.claim && at - beat.writtenAt < writeEveryMs) return done;
    return (beat.writing = this.#write(userId, beat));
  }

  async leave(userId: Uuid, device: number, connection: string, at: number): Promise<void> {
    const leaving = this.#beats.get(userId, device, connection);
    if (leaving === undefined) return;
    const silent = this.#beats.silentOf(userId, at, this.#presenceTtlMs).filter((beat) => beat !== leaving);
    await this.#withdraw(userId, [leaving, ...silent], at);
  }

  async lookup(userIds: readonly Uuid[], at: number): Promise<ReturnType<typeof stateOf>[]> {
    if (userIds.length === 0) return [];
    await this.#withdrawSilent(userIds, at);
    const { commands, keys } = this.#redis;
    const pipeline = commands.pipeline();
    for (const userId of userIds) pipeline.hvals(keys.presence(userId)).get(keys.lastSeen(userId));
    const answers = await pipelined(pipeline.exec());
    const owners = userIds.map((_, index) => (answers[2 * index] as string[]).map(claimOf));
    const live = await this.#liveClaims(new Set(owners.flat()));
    return owners.map((claims, index) => stateOf(claims, live, answers[2 * index + 1] as string | null));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  async #write(userId: Uuid, beat: LocalBeat): Promise<void> {
    assertClaims(this.#lease);
    const { commands, keys } = this.#redis;
    const { claim } = this.#lease;
    const key = keys.presence(userId);
    // Before the write: one that was not answered may have been done, and is taken back by this claim.
    beat.claim = claim;
    beat.writtenAt = beat.at;
    try {
      await answered(
        Promise.all([
          commands.hset(key, beat.device, `${claim}:${beat.connection}`),
          commands.pexpire(key, presenceKeyTtlMs),
          commands.set(keys.lastSeen(userId), beat.at, "PX", this.#lastSeenTtlMs),
        ]),
      );
    } catch (error) {
      beat.writtenAt = 0;
      throw error;
    }
  }

  /** The first is the one that leaves; if a newer connection has its device, nothing happens. */
  async #withdraw(userId: Uuid, beats: readonly LocalBeat[], at: number): Promise<void> {
    for (const beat of beats) this.#beats.remove(userId, beat);
    for (const beat of beats) await beat.writing?.catch(() => {});
    // Whoever beat again meanwhile is there: a process that stood still reads its sockets only after its timers ran.
    const left = beats.filter(({ device, connection }) => this.#beats.get(userId, device, connection) === undefined);
    if (left.length === 0) return;
    try {
      for (let rest = left; rest.length > 0; rest = rest.slice(1)) {
        const owners = rest.flatMap((beat) => [beat.device, `${beat.claim}:${beat.connection}`]);
        const state = await this.#runLeave(userId, owners, at);
        if (state === 1) break;
        // Another device is there: it may be one of the rest, under its former connection.
        if (state === -1) await this.#withdrawFormer(userId, rest[0] as LocalBeat, at);
      }
    } catch (error) {
      // The sweep tries again once they are old.
      for (const beat of left) this.#beats.restore(userId, beat);
      throw error;
    }
  }

  /**
   * Another connection has the device. One of this process that is over was followed by this one before Redis was told of
   * either: nobody else would take it away.
   */
  async #withdrawFormer(userId: Uuid, { device }: LocalBeat, at: number): Promise<void> {
    const { commands, keys } = this.#redis;
    const owner = await answered(commands.hget(keys.presence(userId), String(device)));
    if (owner === null || claimOf(owner) !== this.#lease.claim) return;
    if (this.#beats.get(userId, device, connectionOf(owner)) === undefined) {
      await this.#runLeave(userId, [device, owner], at);
    }
  }

  #runLeave(userId: Uuid, owners: readonly (string | number)[], at: number): Promise<unknown> {
    const { keys } = this.#redis;
    const of = [keys.online(userId), keys.presence(userId), keys.lastSeen(userId)];
    return this.#redis.run(scripts.presenceLeave, of, [at, this.#lastSeenTtlMs, ...owners]);
  }

  async #withdrawSilent(userIds: Iterable<Uuid>, at: number): Promise<void> {
    const withdrawing: Promise<void>[] = [];
    for (const userId of userIds) {
      const silent = this.#beats.silentOf(userId, at, this.#presenceTtlMs);
      if (silent.length === 0) continue;
      withdrawing.push(this.#withdraw(userId, silent, Math.max(...silent.map((beat) => beat.at))));
    }
    await Promise.all(withdrawing);
  }

  /** Which of these claims are those of a living process. */
  async #liveClaims(claims: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    if (claims.size === 0) return claims;
    const nodes = [...new Set([...claims].map((claim) => claim.slice(0, claim.indexOf(":"))))];
    const pipeline = this.#redis.commands.pipeline();
    for (const node of nodes) pipeline.get(this.#redis.keys.node(node));
    const epochs = await pipelined(pipeline.exec());
    return new Set(nodes.map((node, index) => `${node}:${epochs[index] as string | null}`));
  }

  #sweep(): void {
    this.#timer = this.#options.clock.schedule(sweepEveryMs, () => {
      this.#sweep();
      if (this.#redis.lost()) return;
      const at = this.#options.clock.nowMs();
      this.#withdrawSilent(this.#beats.silentUsers(at, this.#presenceTtlMs), at).catch(this.#options.onError);
    });
  }

  async #rewrite(): Promise<void> {
    let writing: Promise<void>[] = [];
    for (const { userId, beat } of Array.from(this.#beats.all())) {
      writing.push((beat.writing = this.#write(userId, beat)));
      if (writing.length < rewriteUsersMax) continue;
      await Promise.all(writing);
      writing = [];
    }
    await Promise.all(writing);
  }
}

/** node:epoch of node:epoch:connection */
function claimOf(owner: string): string {
  return owner.slice(0, owner.indexOf(":", owner.indexOf(":") + 1));
}

function stateOf(claims: readonly string[], live: ReadonlySet<string>, lastSeen: string | null) {
  return { online: claims.some((claim) => live.has(claim)), lastSeenAt: Number(lastSeen ?? 0) };
}
