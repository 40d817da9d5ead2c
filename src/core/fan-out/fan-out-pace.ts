import type { Clock } from "../../base/clock.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { FanOutStopped } from "./fan-out-stopped.ts";
import { StepTurns } from "./step-turns.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Groups whose bucket is remembered; a forgotten one starts full, which costs one burst. */
const groupsMax = 4_096;

/** Kept back of the time that steps may take, for the last of them to be done. */
const reserveMs = 2_000;

/**
 * When the members of a chunk are served, so that a message to a thousand does not hold up those of two.
 *
 * - A group's messages: one to the largest group at once, then one every fanOutSpreadMs (a token bucket, a token is a
 *   member). What a busy group sends meanwhile goes out together.
 * - The members of a chunk: fanOutStepMembers at a time, over all groups of the process no faster than everybody is told
 *   within five seconds, and no faster than the stores stand it (adaptive-rate.ts).
 *
 * No turn comes later than fanOutWaitMs after the job was enqueued, whatever the bucket says, and the steps share what is
 * left of fanOutCeilingMs then. Beyond that the process does what it can, and the bound of the queue refuses new messages.
 */
export class FanOutPace {
  readonly #clock: Clock;
  readonly #groups = new Map<Uuid, TokenBucket>();
  readonly #steps: StepTurns;
  readonly #waiting = new Set<(error: FanOutStopped) => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#steps = new StepTurns(clock);
  }

  /** Resolves when a chunk of `members` may be begun; true = time has passed. Rejects with FanOutStopped when `stop` is called before that. */
  async turn(conversationId: Uuid, members: number, enqueuedAt: number): Promise<boolean> {
    const latest = this.#clock.monotonicMs() + Math.max(0, limits.fanOutWaitMs - this.#agedMs(enqueuedAt));
    return this.#wait(this.#bucketOf(conversationId).take(members, this.#clock.monotonicMs()), latest);
  }

  /** Serves a chunk step by step. Rejects with what `serve` rejects with, or FanOutStopped; what was served stays served. */
  async inSteps<Item>(
    items: readonly Item[],
    enqueuedAt: number,
    serve: (step: readonly Item[]) => Promise<void>,
  ): Promise<void> {
    const begunAt = this.#clock.monotonicMs();
    const leftMs = Math.max(0, limits.fanOutCeilingMs - reserveMs - this.#agedMs(enqueuedAt));
    for (let from = 0; from < items.length; from += limits.fanOutStepMembers) {
      const step = items.slice(from, from + limits.fanOutStepMembers);
      const latest = begunAt + (leftMs * (from + step.length)) / items.length;
      await this.#steps.turn(step.length, items.length - from, latest);
      const since = this.#clock.monotonicMs();
      try {
        await serve(step);
      } catch (error) {
        if (error instanceof WireError && error.temporary) this.#steps.failed();
        throw error;
      }
      if (step.length === limits.fanOutStepMembers) this.#steps.heard(this.#clock.monotonicMs() - since);
    }
  }

  /** Those who wait, and those who come, do not get their turn any more. */
  stop(): void {
    this.#stopped = true;
    this.#steps.stop();
    for (const reject of this.#waiting) reject(new FanOutStopped());
    this.#waiting.clear();
  }

  /** The wall clock of whoever enqueued it may be off: never longer than the whole wait. */
  #agedMs(enqueuedAt: number): number {
    return Math.max(0, this.#clock.nowMs() - enqueuedAt);
  }

  async #wait(ms: number, latest: number): Promise<boolean> {
    if (this.#stopped) throw new FanOutStopped();
    const delayMs = Math.min(ms, latest - this.#clock.monotonicMs());
    if (delayMs <= 0) return false;
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.schedule(delayMs, () => {
        this.#waiting.delete(stop);
        resolve();
      });
      const stop = (error: FanOutStopped): void => {
        timer.cancel();
        reject(error);
      };
      this.#waiting.add(stop);
    });
    return true;
  }

  #bucketOf(conversationId: Uuid): TokenBucket {
    let bucket = this.#groups.get(conversationId);
    if (bucket === undefined) {
      const { membersPerGroupMax, fanOutSpreadMs } = limits;
      bucket = new TokenBucket(
        membersPerGroupMax,
        membersPerGroupMax / fanOutSpreadMs,
        fanOutSpreadMs,
        this.#clock.monotonicMs(),
      );
      if (this.#groups.size >= groupsMax) this.#forgetOne();
      this.#groups.set(conversationId, bucket);
    }
    return bucket;
  }

  #forgetOne(): void {
    const now = this.#clock.monotonicMs();
    let first: Uuid | undefined;
    for (const [conversationId, bucket] of this.#groups) {
      first ??= conversationId;
      if (!bucket.isFull(now)) continue;
      first = conversationId;
      break;
    }
    if (first !== undefined) this.#groups.delete(first);
  }
}
