import { assert } from "../../base/assert.ts";

/**
 * Timers for millions of users in typed arrays: 16 bytes a timer, one timer per id (0…timersMax−1), O(1) to set and
 * cancel, no objects and no native timers. A hashed wheel (Varghese and Lauck 1987): a timer lies in the slot of its due
 * tick modulo the slots; one that is due in a later round stays until its round comes. Within a tick timers fire in the
 * order they were set. States of a timer: idle → set → fired (idle again), or idle by `cancel`.
 */
const none = -1;

export interface TimerWheelOptions {
  readonly timersMax: number;
  /** Timers fire at the first advance at or after the end of their tick, so up to this much late; default 1 ms. */
  readonly tickMs?: number;
  /** A power of two; timers further ahead than slots × tickMs cost one look per round. Default 32,768. */
  readonly slots?: number;
}

export class TimerWheel {
  readonly timersMax: number;
  readonly tickMs: number;
  readonly #mask: number;
  /** Heads and tails of the lists: one a slot, and one (at index `slots`) of what is firing. */
  readonly #heads: Int32Array;
  readonly #tails: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #dueTick: Uint32Array;
  /** List in which a timer lies, `none` when idle. */
  readonly #list: Int32Array;
  readonly #firing: number;
  #tick = 0;
  #size = 0;

  constructor(options: TimerWheelOptions) {
    const slots = options.slots ?? 32_768;
    assert(slots > 0 && (slots & (slots - 1)) === 0, `wheel of ${slots} slots`);
    assert(options.timersMax >= 1 && options.timersMax < 2 ** 31, `wheel of ${options.timersMax} timers`);
    this.timersMax = options.timersMax;
    this.tickMs = options.tickMs ?? 1;
    assert(this.tickMs > 0, "a tick above zero");
    this.#mask = slots - 1;
    this.#firing = slots;
    this.#heads = new Int32Array(slots + 1).fill(none);
    this.#tails = new Int32Array(slots + 1).fill(none);
    this.#next = new Int32Array(options.timersMax).fill(none);
    this.#previous = new Int32Array(options.timersMax).fill(none);
    this.#dueTick = new Uint32Array(options.timersMax);
    this.#list = new Int32Array(options.timersMax).fill(none);
  }

  /** Timers set. */
  get size(): number {
    return this.#size;
  }

  isSet(id: number): boolean {
    return this.#list[id] !== none;
  }

  /** Sets the timer of `id` anew, whether it was set or not. A time in the past fires at the next advance. */
  set(id: number, dueMs: number): void {
    assert(id >= 0 && id < this.timersMax, `timer ${id}`);
    this.cancel(id);
    const due = Math.max(this.#tick + 1, Math.ceil(dueMs / this.tickMs));
    assert(due < 2 ** 32, "a due tick within 32 bits");
    this.#dueTick[id] = due;
    this.#append(due & this.#mask, id);
    this.#size++;
  }

  /** Idempotent. */
  cancel(id: number): void {
    if (this.#list[id] === none) return;
    this.#unlink(id);
    this.#size--;
  }

  /** Fires everything due by `nowMs`. `fire` may set and cancel any timer, its own included. */
  advance(nowMs: number, fire: (id: number) => void): void {
    const last = Math.floor(nowMs / this.tickMs);
    while (this.#tick < last) {
      if (this.#size === 0) {
        this.#tick = last;
        return;
      }
      this.#tick++;
      this.#fireSlot(this.#tick & this.#mask, fire);
    }
  }

  /** The earliest time at which something may fire; Infinity when nothing is set. Looks at no more than one round. */
  nextDueMs(): number {
    if (this.#size === 0) return Number.POSITIVE_INFINITY;
    for (let ahead = 1; ahead <= this.#mask; ahead++) {
      if (this.#heads[(this.#tick + ahead) & this.#mask] !== none) return (this.#tick + ahead) * this.tickMs;
    }
    return (this.#tick + this.#mask + 1) * this.tickMs;
  }

  #fireSlot(slot: number, fire: (id: number) => void): void {
    if (this.#heads[slot] === none) return;
    // Moved aside first, so that what is set again into this slot waits for its own round.
    for (let id = this.#heads[slot] as number; id !== none; id = this.#next[id] as number)
      this.#list[id] = this.#firing;
    this.#heads[this.#firing] = this.#heads[slot] as number;
    this.#tails[this.#firing] = this.#tails[slot] as number;
    this.#heads[slot] = none;
    this.#tails[slot] = none;
    for (let id = this.#heads[this.#firing] as number; id !== none; id = this.#heads[this.#firing] as number) {
      this.#unlink(id);
      if ((this.#dueTick[id] as number) > this.#tick) {
        this.#append(slot, id);
        continue;
      }
      this.#size--;
      fire(id);
    }
  }

  #append(list: number, id: number): void {
    const tail = this.#tails[list] as number;
    this.#previous[id] = tail;
    this.#next[id] = none;
    if (tail === none) this.#heads[list] = id;
    else this.#next[tail] = id;
    this.#tails[list] = id;
    this.#list[id] = list;
  }

  #unlink(id: number): void {
    const list = this.#list[id] as number;
    const next = this.#next[id] as number;
    const previous = this.#previous[id] as number;
    if (previous === none) this.#heads[list] = next;
    else this.#next[previous] = next;
    if (next === none) this.#tails[list] = previous;
    else this.#previous[next] = previous;
    this.#list[id] = none;
  }
}
