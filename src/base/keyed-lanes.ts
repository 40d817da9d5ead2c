import { assert } from "./assert.ts";
import type { Clock } from "./clock.ts";

export interface KeyedLanesOptions<Key, Item> {
  readonly clock: Clock;
  /** Never called for one key while an earlier call for it is under way. A rejection brings the same items again. */
  readonly handle: (items: readonly Item[]) => Promise<void>;
  /** A call ended well, and its key was not dropped meanwhile. */
  readonly onDone?: (key: Key, items: readonly Item[]) => void;
  readonly itemsPerCallMax: number;
  readonly callsMax: number;
  /** How long a key rests after a call that was rejected, ms. */
  readonly retryMs: number;
}

/** One time of a key, from its first item until it is empty, released or dropped. */
interface LaneOf<Key, Item> {
  readonly key: Key;
  readonly items: Item[];
  isResting: boolean;
  isDropped: boolean;
}

/**
 * Hands items to one handler: those of one key in the order of `push` and one call at a time, keys side by side. Keys
 * take turns. How many items may wait is for the caller to bound (`waiting`).
 *
 * States of a key: absent → waiting (for a turn) → called → waiting (more came) | resting (the call failed; its items are
 * first in line) → waiting … → absent. `release` and `drop` make it absent from any of them; what is pushed afterwards
 * waits for the call that may still be under way. Of the whole: running ⇄ paused → stopped.
 */
export class KeyedLanes<Key, Item> {
  readonly #options: KeyedLanesOptions<Key, Item>;
  readonly #lanes = new Map<Key, LaneOf<Key, Item>>();
  /** Those whose turn it is, first come, first served. */
  readonly #turns = new Set<LaneOf<Key, Item>>();
  /** For which keys a call is under way, even of a lane that is gone by now. */
  readonly #called = new Map<Key, LaneOf<Key, Item>>();
  #state: "running" | "paused" | "stopped" = "running";
  #ended: (() => void)[] = [];

  constructor(options: KeyedLanesOptions<Key, Item>) {
    assert(options.itemsPerCallMax >= 1 && options.callsMax >= 1, "a lane hands over something");
    this.#options = options;
  }

  push(key: Key, items: readonly Item[]): void {
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = { key, items: [], isResting: false, isDropped: false }));
    lane.items.push(...items);
    this.#line(key);
    this.#work();
  }

  /** Items of a key that no call has ended well for. */
  waiting(key: Key): number {
    return this.#lanes.get(key)?.items.length ?? 0;
  }

  /** What waits for the key is forgotten; resolves when the call under way has ended and, if it ended well, was told. */
  async release(key: Key): Promise<void> {
    this.#forget(key);
    while (this.#called.has(key)) await this.#nextEnd();
  }

  /** What waits for the key is forgotten, and nothing is told of the call under way. */
  drop(key: Key): void {
    this.#forget(key);
    const called = this.#called.get(key);
    if (called !== undefined) called.isDropped = true;
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.#work();
  }

  /** No new call; resolves when those under way have ended. Items that are left stay unhandled. Idempotent. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    while (this.#called.size > 0) await this.#nextEnd();
  }

  #nextEnd(): Promise<void> {
    return new Promise((resolve) => this.#ended.push(resolve));
  }

  #forget(key: Key): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) return;
    this.#lanes.delete(key);
    this.#turns.delete(lane);
  }

  #line(key: Key): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined || lane.isResting || this.#called.has(key)) return;
    if (lane.items.length > 0) this.#turns.add(lane);
    else this.#lanes.delete(key);
  }

  #work(): void {
    for (const lane of this.#turns) {
      if (this.#state !== "running" || this.#called.size >= this.#options.callsMax) return;
      this.#turns.delete(lane);
      this.#called.set(lane.key, lane);
      void this.#call(lane);
    }
  }

  async #call(lane: LaneOf<Key, Item>): Promise<void> {
    const items = lane.items.slice(0, this.#options.itemsPerCallMax);
    let done = true;
    try {
      await this.#options.handle(items);
    } catch {
      // Whoever handles says what went wrong; here it only means: again.
      done = false;
    }
    this.#called.delete(lane.key);
    if (done) {
      lane.items.splice(0, items.length);
      if (!lane.isDropped) this.#options.onDone?.(lane.key, items);
    } else this.#rest(lane);
    this.#line(lane.key);
    this.#work();
    for (const resolve of this.#ended.splice(0)) resolve();
  }

  #rest(lane: LaneOf<Key, Item>): void {
    lane.isResting = true;
    this.#options.clock.schedule(this.#options.retryMs, () => {
      lane.isResting = false;
      this.#line(lane.key);
      this.#work();
    });
  }
}
