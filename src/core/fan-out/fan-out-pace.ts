import type { Clock } from "../../base/clock.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Groups whose bucket is remembered; a forgotten one starts full, which costs one burst. */
const groupsMax = 4_096;

/** What waits was told to stop waiting: its job stays in the queue. */
export class FanOutStopped extends Error {
  override readonly name = "FanOutStopped";
}

/**
 * When the members of a chunk are served, so that a message to a thousand does not hold up those of two. A token is a
 * member. Two buckets, one after the other:
 *
 * - the group's: one message to the largest group at once, then one every fanOutSpreadMs. So a message to a quiet group
 *   goes out without waiting, and what a busy one sends meanwhile goes out together, once in fanOutSpreadMs.
 * - the process's: fanOutBurstMembers at once, then fanOutMembersPerSecond, over all groups.
 *
 * Nobody waits beyond fanOutWaitMs after the job was enqueued, whatever the buckets say: the rest up to fanOutCeilingMs
 * is for doing it. Then the process does what it can, and the bound of the queue refuses new messages.
 */
export class FanOutPace {
  readonly #clock: Clock;
  readonly #groups = new Map<Uuid, TokenBucket>();
  readonly #process: TokenBucket;
  readonly #waiting = new Set<(error: FanOutStopped) => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    const { fanOutBurstMembers, fanOutMembersPerSecond, fanOutWaitMs } = limits;
    this.#process = new TokenBucket(
      fanOutBurstMembers,
      fanOutMembersPerSecond / 1_000,
      fanOutWaitMs,
      clock.monotonicMs(),
    );
  }

  /** Resolves when `members` members may be served; true = time has passed. Rejects with FanOutStopped when `stop` is called before that. */
  async turn(conversationId: Uuid, members: number, enqueuedAt: number): Promise<boolean> {
    // The wall clock of whoever enqueued it may be off: never longer than the whole wait.
    const aged = Math.max(0, this.#clock.nowMs() - enqueuedAt);
    const latest = this.#clock.monotonicMs() + Math.max(0, limits.fanOutWaitMs - aged);
    const forGroup = await this.#wait(this.#bucketOf(conversationId).take(members, this.#clock.monotonicMs()), latest);
    const forProcess = await this.#wait(this.#process.take(members, this.#clock.monotonicMs()), latest);
    return forGroup || forProcess;
  }

  /** Those who wait, and those who come, do not get their turn any more. */
  stop(): void {
    this.#stopped = true;
    for (const reject of this.#waiting) reject(new FanOutStopped("the process stops"));
    this.#waiting.clear();
  }

  async #wait(ms: number, latest: number): Promise<boolean> {
    if (this.#stopped) throw new FanOutStopped("the process stops");
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
