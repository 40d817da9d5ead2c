import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { FanOutQueue } from "../ports/fan-out-queue.ts";
import { fanOutJobs } from "./chunks.ts";

/** Conversations of which this process remembers what it enqueued. */
const conversationsMax = 4_096;

/**
 * How the sends and the readers of a process use the queue of large groups. Remembers up to which row it has put each
 * conversation in, so that readers who find their lists behind do not put in once more what is on its way.
 */
export class FanOutSends {
  readonly #queue: FanOutQueue;
  readonly #enqueuedTo = new Map<Uuid, number>();

  constructor(queue: FanOutQueue) {
    this.#queue = queue;
  }

  get membersMax(): number {
    return this.#queue.membersMax;
  }

  /** Before an append that will enqueue: rejects with a temporary WireError when the queue is gone or full. */
  ready(): Promise<void> {
    return this.#queue.ready();
  }

  /**
   * Resolves when it is durable that rows [fromSeq, toSeq] will be listed and pushed. Of a longer run than a repair
   * passes in one go, the newest rows. Idempotent in its effects. Errors: WireError of the queue.
   */
  async enqueue(conversationId: Uuid, fromSeq: number, toSeq: number, membership: number): Promise<void> {
    const from = Math.max(fromSeq, toSeq - limits.dedupeRowsMax + 1);
    await this.#queue.enqueue(fanOutJobs(conversationId, from, toSeq, membership));
    this.#remember(conversationId, Math.max(toSeq, this.enqueuedTo(conversationId)));
  }

  /** 0 = nothing that is remembered. */
  enqueuedTo(conversationId: Uuid): number {
    return this.#enqueuedTo.get(conversationId) ?? 0;
  }

  #remember(conversationId: Uuid, seq: number): void {
    this.#enqueuedTo.delete(conversationId);
    this.#enqueuedTo.set(conversationId, seq);
    for (const oldest of this.#enqueuedTo.keys()) {
      if (this.#enqueuedTo.size <= conversationsMax) return;
      this.#enqueuedTo.delete(oldest);
    }
  }
}
