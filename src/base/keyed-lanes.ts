import { assert } from "./assert.ts";
import type { Clock } from "./clock.ts";

export interface KeyedLanesOptions<Item> {
  readonly clock: Clock;
  /** Never called for one key while an earlier call for it is under way. A rejection brings the same items again. */
  readonly handle: (items: readonly Item[]) => Promise<void>;
  readonly itemsPerCallMax: number;
  readonly callsMax: number;
  /** How long a key rests after a call that was rejected, ms. */
  readonly retryMs: number;
}

interface LaneOf<Item> {
  readonly key: string;
  readonly items: Item[];
}

/**
 * Hands items to one handler: those of one key in the order of `push` and one call at a time, keys side by side. Keys
 * take turns. How many items may wait is for the caller to bound.
 *
 * States of a key: absent → waiting (for a turn) → called → waiting (more came) | resting (the call failed; its items are
 * first in line) → waiting … → absent. Of the whole: running ⇄ paused → stopped.
 */
export class KeyedLanes<Item> {
  readonly #options: KeyedLanesOptions<Item>;
  readonly #lanes = new Map<string, LaneOf<Item>>();
  /** Keys whose turn it is, first come, first served. */
  readonly #turns = new Set<LaneOf<Item>>();
  #calls = 0;
  #state: "running" | "paused" | "stopped" = "running";
  #drained: (() => void)[] = [];

  constructor(options: KeyedLanesOptions<Item>) {
    assert(options.itemsPerCallMax >= 1 && options.callsMax >= 1, "a lane hands over something");
    this.#options = options;
  }

  push(key: string, item: Item): void {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      this.#lanes.set(key, (lane = { key, items: [] }));
      this.#turns.add(lane);
    }
    lane.items.push(item);
    this.#work();
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
    if (this.#calls > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #work(): void {
    for (const lane of this.#turns) {
      if (this.#state !== "running" || this.#calls >= this.#options.callsMax) return;
      this.#turns.delete(lane);
      void this.#call(lane);
    }
  }

  async #call(lane: LaneOf<Item>): Promise<void> {
    this.#calls++;
    const items = lane.items.slice(0, this.#options.itemsPerCallMax);
    let done = true;
    try {
      await this.#options.handle(items);
    } catch {
      // Whoever handles says what went wrong; here it only means: again.
      done = false;
    }
    this.#calls--;
    if (done) lane.items.splice(0, items.length);
    if (done) this.#line(lane);
    else this.#rest(lane);
    this.#work();
    if (this.#calls === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }

  #line(lane: LaneOf<Item>): void {
    if (lane.items.length === 0) {
      this.#lanes.delete(lane.key);
      return;
    }
    this.#turns.add(lane);
  }

  #rest(lane: LaneOf<Item>): void {
    this.#options.clock.schedule(this.#options.retryMs, () => {
      this.#line(lane);
      this.#work();
    });
  }
}
