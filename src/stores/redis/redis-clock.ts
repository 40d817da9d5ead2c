import type { Clock, Timer } from "../../base/clock.ts";
import { answered } from "./errors.ts";
import type { RedisClient } from "./connect.ts";

export interface RedisClockOptions {
  readonly clock: Clock;
  /** Told when the wall clock of this process is far off; again only after it was right in between. */
  readonly onSkew: (offsetMs: number) => void;
  /** Told of questions that were not answered; must not throw. */
  readonly onError: (error: unknown) => void;
}

const askEveryMs = 10_000;
/** Nothing breaks at this, but somebody should set the clock: times that people see come from it. */
const skewToldMs = 5_000;

/**
 * The time that all server processes agree on: that of Redis. Each learns how far its own clock is from it, so that what
 * they keep together (rate limits) is not spoilt by one whose clock is wrong.
 */
export class RedisClock {
  /** To be added to the wall clock of this process, in ms. 0 until it is known. */
  offsetMs = 0;
  readonly #redis: Pick<RedisClient, "commands" | "lost">;
  readonly #options: RedisClockOptions;
  #timer: Timer | undefined;
  #isStopped = false;
  #isTold = false;

  constructor(redis: Pick<RedisClient, "commands" | "lost">, options: RedisClockOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  /** Asks now and then every ten seconds. Resolves after the first answer, or without one; never rejects. Once. */
  async start(): Promise<void> {
    await this.#ask();
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.schedule(askEveryMs, () => void this.start());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    if (this.#redis.lost()) return;
    const { clock, onSkew, onError } = this.#options;
    try {
      const askedAt = clock.nowMs();
      const [seconds, microseconds] = await answered(this.#redis.commands.time());
      const there = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
      this.offsetMs = Math.round(there - (askedAt + clock.nowMs()) / 2);
      const isFar = Math.abs(this.offsetMs) >= skewToldMs;
      if (isFar && !this.#isTold) onSkew(this.offsetMs);
      this.#isTold = isFar;
    } catch (error) {
      onError(error);
    }
  }
}
