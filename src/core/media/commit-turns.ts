import { BoundedQueue } from "../../base/bounded-queue.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/**
 * Who may hash now. Hashing reads a whole object, so a few run at once, a bounded number waits in order, and the rest is
 * refused as `overloaded`.
 */
export class CommitTurns {
  readonly #waiting: BoundedQueue<() => void>;
  readonly #atOnceMax: number;
  #running = 0;

  constructor(atOnceMax: number, waitingMax: number) {
    this.#atOnceMax = atOnceMax;
    this.#waiting = new BoundedQueue(waitingMax);
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnceMax) this.#running++;
    else await this.#wait();
    try {
      return await work();
    } finally {
      // The place goes to the next in line, so that a newcomer cannot overtake it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  #wait(): Promise<void> {
    const turn = Promise.withResolvers<void>();
    if (!this.#waiting.push(turn.resolve)) throw new WireError("overloaded", { retryAfterMs: 1_000 });
    return turn.promise;
  }
}
