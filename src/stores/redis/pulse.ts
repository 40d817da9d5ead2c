import { assert } from "../../base/assert.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import { peerSilentMs, type RedisBus } from "./bus.ts";
import { answered } from "./errors.ts";
import type { RedisClient } from "./connect.ts";
import type { NodeLease } from "./lease.ts";
import type { Losses } from "./losses.ts";
import { scripts } from "./scripts.ts";

const pulseEveryMs = 1_000;
/** A process that did not pulse for this long is sent nothing by itself; what is for its connections still is. */
const presentTtlMs = 15_000;
/**
 * Between the ends of two pulses: beyond this the process was held up itself (a pause, a blocked event loop, a Redis that did
 * not answer), and others' silence says nothing. Short of it they were heard so lately that they cannot seem silent.
 */
const heldUpMs = 3_000;
assert(heldUpMs + pulseEveryMs < peerSilentMs, "who was not held up has heard the others");

export interface PulseOptions {
  readonly lease: NodeLease;
  readonly bus: RedisBus;
  readonly losses: Losses;
  readonly clock: Clock;
  /** Told of beats that were not answered; must not throw. */
  readonly onError: (error: unknown) => void;
}

/**
 * What a server process does every second: says that it is there, sees who else is, sends its beacons, and looks whether
 * Redis still has its memory. The sentinel `msgr:epoch` has no TTL; when it is gone or another one, so is everything else.
 */
export class Pulse {
  readonly #redis: RedisClient;
  readonly #options: PulseOptions;
  #sentinel: string | undefined;
  /** Made by this process. */
  #sentinels = 0;
  #beatAtMs = 0;
  #timer: Timer | undefined;
  #isStopped = false;
  /** node:epoch as it stands among the processes. */
  #claim: string;

  constructor(redis: RedisClient, options: PulseOptions) {
    this.#redis = redis;
    this.#options = options;
    this.#claim = options.lease.claim;
    options.lease.onRestart(() => void this.#reenter().catch(options.onError));
  }

  /** Resolves after the first beat: from then on the other processes know this one. Rejects with WireError. Once. */
  async start(): Promise<void> {
    const claims = await this.#beat();
    this.#plan();
    await this.#options.bus.meet(claims);
  }

  /** Idempotent; never rejects. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#redis.commands.zrem(this.#redis.keys.nodes, this.#claim).catch(this.#options.onError);
  }

  /** Whether the sentinel is the one seen last. Rejects with WireError. */
  async isSameMemory(): Promise<boolean> {
    return (await answered(this.#redis.commands.get(this.#redis.keys.epoch))) === this.#sentinel;
  }

  #plan(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(pulseEveryMs, () => {
      this.#beat()
        .then(() => {}, this.#options.onError)
        .finally(() => this.#plan());
    });
  }

  /** The claim of the epoch before must not come back to anybody. */
  async #reenter(): Promise<void> {
    const before = this.#claim;
    this.#claim = this.#options.lease.claim;
    const { commands, keys } = this.#redis;
    await Promise.all([
      answered(commands.zrem(keys.nodes, before)),
      this.#redis.run(scripts.nodesBeat, [keys.nodes], [this.#claim, presentTtlMs]),
    ]);
  }

  async #beat(): Promise<readonly string[]> {
    const { lease, bus, clock } = this.#options;
    if (this.#redis.lost() || lease.failure !== undefined) return [];
    const [claims, sentinel] = await Promise.all([
      this.#redis.run(scripts.nodesBeat, [this.#redis.keys.nodes], [this.#claim, presentTtlMs]),
      answered(this.#redis.commands.get(this.#redis.keys.epoch)),
    ]);
    if (this.#isStopped) return [];
    if (sentinel === null || sentinel !== this.#sentinel) await this.#remember(sentinel);
    bus.beacon(claims as string[]);
    const nowMs = clock.monotonicMs();
    bus.checkSilence(nowMs - this.#beatAtMs >= heldUpMs);
    this.#beatAtMs = nowMs;
    return claims as string[];
  }

  async #remember(found: string | null): Promise<void> {
    const { lease, losses } = this.#options;
    const hadOne = this.#sentinel !== undefined;
    const { commands, keys } = this.#redis;
    // Of several processes that miss it, one sets it; never to what it was, or the others would not miss it.
    if (found === null) await answered(commands.set(keys.epoch, `${lease.epoch}.${++this.#sentinels}`, "NX"));
    this.#sentinel = found ?? (await answered(commands.get(keys.epoch))) ?? undefined;
    if (!hadOne) return;
    // Before anything is registered again, under a lease that holds.
    await lease.renew();
    losses.raise("Redis lost its memory");
  }
}
