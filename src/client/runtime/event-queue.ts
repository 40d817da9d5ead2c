import { BoundedQueue } from "../../base/bounded-queue.ts";
import { createDeferred, type Deferred } from "../../base/deferred.ts";

/**
 * Events for one reader that takes them when it likes. Bounded: a reader that falls too far behind is ended with an error
 * instead of growing the memory; it reads the storage and subscribes again.
 */
export class EventQueue<T> implements AsyncIterableIterator<T> {
  readonly #queue: BoundedQueue<T>;
  readonly #onEnd: () => void;
  #waiting: Deferred<IteratorResult<T>> | undefined = undefined;
  #state: "open" | "ended" | "overflowed" = "open";

  constructor(itemsMax: number, onEnd: () => void) {
    this.#queue = new BoundedQueue(itemsMax);
    this.#onEnd = onEnd;
  }

  push(item: T): void {
    if (this.#state !== "open") return;
    if (this.#waiting !== undefined) {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting.resolve({ value: item, done: false });
    } else if (!this.#queue.push(item)) {
      this.#state = "overflowed";
      this.#onEnd();
    }
  }

  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ended";
    this.#waiting?.resolve({ value: undefined, done: true });
    this.#waiting = undefined;
    this.#onEnd();
  }

  /** One call at a time, as `for await` does. */
  next(): Promise<IteratorResult<T>> {
    const item = this.#queue.shift();
    if (item !== undefined) return Promise.resolve({ value: item, done: false });
    if (this.#state === "overflowed") {
      this.#state = "ended";
      return Promise.reject(new Error(`more than ${this.#queue.itemsMax} events waited for their reader`));
    }
    if (this.#state === "ended") return Promise.resolve({ value: undefined, done: true });
    this.#waiting = createDeferred<IteratorResult<T>>();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<T>> {
    this.end();
    this.#queue.clear();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
