import { assert } from "./assert.ts";

/**
 * First in, first out, with a hard bound. A full queue refuses; what to do then (close, shed, wait) is the caller's
 * decision and must be visible there. Ring of powers of two, so that push and shift never move elements.
 */
export class BoundedQueue<T> {
  readonly itemsMax: number;
  #ring: (T | undefined)[];
  #head = 0;
  #length = 0;

  /** `itemsMax` in [1, 2³⁰]. */
  constructor(itemsMax: number) {
    assert(Number.isInteger(itemsMax) && itemsMax >= 1 && itemsMax <= 2 ** 30, `queue bound ${itemsMax}`);
    this.itemsMax = itemsMax;
    this.#ring = Array.from({ length: 8 });
  }

  get length(): number {
    return this.#length;
  }

  /** False when the queue is full; the item is then not taken. */
  push(item: T): boolean {
    if (this.#length === this.itemsMax) return false;
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length++;
    return true;
  }

  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    return item;
  }

  clear(): void {
    this.#ring = Array.from({ length: 8 });
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const larger: (T | undefined)[] = Array.from({ length: this.#ring.length * 2 });
    for (let index = 0; index < this.#length; index++) {
      larger[index] = this.#ring[(this.#head + index) & (this.#ring.length - 1)];
    }
    this.#ring = larger;
    this.#head = 0;
  }
}
