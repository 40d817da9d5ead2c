import { assert } from "../../base/assert.ts";

/**
 * A map that forgets: what was not written for `idleMs`, and, when it holds `entriesMax`, what was written longest ago.
 *
 * Two generations. Writes go to the young one; when it is half of `entriesMax` or `idleMs` old, the old one is dropped as
 * a whole and the young one takes its place. So there is no timer, no scan and no list of ages: an entry lives at least
 * `idleMs` after its last write (unless the map is full) and at most until the second turn after that. The trade: turns
 * happen on writes only, so an idle map keeps what it has, within its bound.
 */
export class RecentMap<V> {
  readonly entriesMax: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();
  #turnedAt = 0;

  /** `entriesMax` ≥ 2. */
  constructor(entriesMax: number) {
    assert(Number.isInteger(entriesMax) && entriesMax >= 2, `entries bound ${entriesMax}`);
    this.entriesMax = entriesMax;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  /** `at` and `idleMs` in ms; `at` may go backwards, which only delays forgetting. */
  set(key: string, value: V, at: number, idleMs: number): void {
    if (at - this.#turnedAt >= idleMs) this.#turn(at);
    else if (at < this.#turnedAt) this.#turnedAt = at;
    if (!this.#young.has(key)) {
      if (this.#young.size >= Math.floor(this.entriesMax / 2)) this.#turn(at);
      this.#old.delete(key);
    }
    this.#young.set(key, value);
  }

  delete(key: string): void {
    if (!this.#young.delete(key)) this.#old.delete(key);
  }

  #turn(at: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#turnedAt = at;
  }
}
