import type { Clock, Timer } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";

export interface QueueHealthOptions {
  readonly clock: Clock;
  /** Looks at the queue, answers how many jobs wait. Rejects when it cannot be used. */
  readonly look: () => Promise<number>;
  readonly everyMs: number;
  /** A look that takes longer counts as failed. */
  readonly withinMs: number;
  /** What an error means, in a word: another meaning is told anew. */
  readonly meaningOf: (error: unknown) => string;
  /** `error`: why it is lost, or what it is lost for now; undefined = it is back. */
  readonly onChange: (error: unknown) => void;
}

/**
 * Whether jobs can be put in now, known without asking: looked at once a second, and at once when somebody has a doubt.
 *
 *   unknown ──▶ up ⇄ lost
 */
export class QueueHealth {
  readonly #options: QueueHealthOptions;
  #isUp = false;
  #error: unknown;
  #wasTold = false;
  #waiting = 0;
  /** Jobs of this process since the start; those since the last look are not yet in what it found. */
  #put = 0;
  #putBefore = 0;
  #looking: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: QueueHealthOptions) {
    this.#options = options;
  }

  /** Looks now, or waits for the look under way, and from then on every `everyMs`. Never rejects. */
  look(): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    this.#timer?.cancel();
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (!this.#isStopped) this.#timer = this.#options.clock.schedule(this.#options.everyMs, () => void this.look());
    });
    return this.#looking;
  }

  stop(): void {
    this.#isStopped = true;
    this.#isUp = false;
    this.#timer?.cancel();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Why it is not up. */
  get error(): unknown {
    return this.#error;
  }

  put(jobs: number): void {
    this.#put += jobs;
  }

  /** Throws `store_unavailable` or `overloaded`. */
  check(): void {
    if (!this.#isUp) throw new WireError("store_unavailable", { cause: this.#error });
    const waiting = this.#waiting + this.#put - this.#putBefore;
    if (waiting >= limits.fanOutJobsWaitingMax) {
      throw new WireError("overloaded", { detail: `${waiting} messages to large groups wait.` });
    }
  }

  async #look(): Promise<void> {
    const before = this.#put;
    try {
      this.#waiting = await this.#within(this.#options.look());
      this.#putBefore = before;
      this.#change(true, undefined);
    } catch (error) {
      this.#change(false, error);
    }
  }

  #change(isUp: boolean, error: unknown): void {
    if (this.#isStopped) return;
    const isNews = this.#isUp !== isUp || !this.#wasTold || this.#isOther(error);
    // That it is up at the first look is what everybody expects.
    const isFirst = !this.#wasTold;
    this.#isUp = isUp;
    this.#error = error;
    this.#wasTold = true;
    if (isNews && !(isFirst && isUp)) this.#options.onChange(error);
  }

  #isOther(error: unknown): boolean {
    const { meaningOf } = this.#options;
    return error !== undefined && this.#error !== undefined && meaningOf(error) !== meaningOf(this.#error);
  }

  async #within(look: Promise<number>): Promise<number> {
    const { clock, withinMs } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = clock.schedule(withinMs, () => late.reject(new Error(`no answer within ${withinMs} ms`)));
    try {
      return await Promise.race([look, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}
