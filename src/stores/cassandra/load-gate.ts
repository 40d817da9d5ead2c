import { BoundedQueue } from "../../base/bounded-queue.ts";
import type { Clock } from "../../base/clock.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/**
 * How many statements are under way at once: beyond that the node is no faster, and each takes longer. The others wait, not
 * for ever and not without number.
 *
 * Two kinds wait. A statement that begins an operation is refused (`overloaded`) when `waitingMax` wait already. One that
 * ends an operation (the list rows of an append that stands in the log) goes first and is refused only at a bound that no
 * number of operations reaches: what is begun should end, or its sender has to come back and do it all again.
 */
export type Urgency = "begins" | "ends";

export interface LoadGateOptions {
  readonly inFlightMax: number;
  readonly waitingMax: number;
  /** Who waited longer is refused (`store_unavailable`): nothing was sent. */
  readonly waitMsMax: number;
  readonly clock: Clock;
}

interface Waiter {
  readonly since: number;
  admit(): void;
  refuse(error: WireError): void;
}

/** Statements that one operation may have waiting at its end: the width of a fan-out. */
const endingPerOperation = 64;

export class LoadGate {
  readonly #options: LoadGateOptions;
  readonly #beginning: BoundedQueue<Waiter>;
  readonly #ending: BoundedQueue<Waiter>;
  #inFlight = 0;

  constructor(options: LoadGateOptions) {
    this.#options = options;
    this.#beginning = new BoundedQueue(options.waitingMax);
    this.#ending = new BoundedQueue((options.waitingMax + options.inFlightMax) * endingPerOperation);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#beginning.length + this.#ending.length;
  }

  /** undefined: go at once; else go when it resolves. Whoever goes must leave. Rejects with WireError: then do not leave. */
  enter(urgency: Urgency): Promise<void> | undefined {
    if (this.#inFlight < this.#options.inFlightMax) {
      this.#inFlight++;
      return undefined;
    }
    return new Promise((admit, refuse) => {
      const waiter: Waiter = { since: this.#options.clock.monotonicMs(), admit, refuse };
      const isCrowded = urgency === "begins" && this.waiting >= this.#options.waitingMax;
      const queue = urgency === "begins" ? this.#beginning : this.#ending;
      if (isCrowded || !queue.push(waiter)) refuse(new WireError("overloaded"));
    });
  }

  leave(): void {
    const longAgo = this.#options.clock.monotonicMs() - this.#options.waitMsMax;
    for (;;) {
      const next = this.#ending.shift() ?? this.#beginning.shift();
      if (next === undefined) {
        this.#inFlight--;
        return;
      }
      if (next.since >= longAgo) {
        next.admit();
        return;
      }
      next.refuse(new WireError("store_unavailable"));
    }
  }
}
