import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";

export interface PartitionLanesOptions<Item> {
  readonly clock: Clock;
  /** Never called for one partition while an earlier call for it is under way. A rejection brings the same items again. */
  readonly handle: (items: readonly Item[]) => Promise<void>;
  /** A call of a partition that is ours ended well: what it was for may be committed. */
  readonly onDone: (partition: number, items: readonly Item[]) => void;
  readonly itemsPerCallMax: number;
  readonly callsMax: number;
  /** How long a partition rests after a call that was rejected, ms. */
  readonly retryMs: number;
}

interface Lane<Item> {
  readonly partition: number;
  readonly items: Item[];
  /** released: no new call, and the one under way still counts; dropped: it does not. */
  state: "held" | "released" | "dropped";
}

/**
 * Hands what was read from the partitions of this process to one handler: a partition in its order and one call at a time,
 * partitions side by side, each in its turn. Partitions come and go; what waits for one that goes is forgotten, whoever
 * has it next reads it again. How many items may wait is for the reader to bound (`waiting`).
 *
 * Of a partition: held → waiting (for a turn) → called → held | resting (the call failed) → waiting …
 * Of the whole: running ⇄ paused → stopped.
 */
export class PartitionLanes<Item> {
  readonly #options: PartitionLanesOptions<Item>;
  readonly #lanes = new Map<number, Lane<Item>>();
  /** Those whose turn it is, first come, first served. */
  readonly #turns = new Set<Lane<Item>>();
  /** For which partitions a call is under way, even of a lane that is gone by now. */
  readonly #called = new Map<number, Lane<Item>>();
  readonly #resting = new Set<Lane<Item>>();
  #state: "running" | "paused" | "stopped" = "running";
  #ended: (() => void)[] = [];

  constructor(options: PartitionLanesOptions<Item>) {
    assert(options.itemsPerCallMax >= 1 && options.callsMax >= 1, "a lane hands over something");
    this.#options = options;
  }

  hold(partition: number): void {
    assert(!this.#lanes.has(partition), "a partition is taken over once");
    this.#lanes.set(partition, { partition, items: [], state: "held" });
  }

  /** What is pushed for a partition that is not held is forgotten. */
  push(partition: number, items: readonly Item[]): void {
    const lane = this.#lanes.get(partition);
    if (lane === undefined || items.length === 0) return;
    lane.items.push(...items);
    this.#line(lane);
    this.#work();
  }

  /** Items of a partition that no call has ended well for. */
  waiting(partition: number): number {
    return this.#lanes.get(partition)?.items.length ?? 0;
  }

  /** No new call for the partition; resolves when the one under way has ended and, if it ended well, was told. */
  async release(partition: number): Promise<void> {
    this.#let(partition, "released");
    while (this.#called.has(partition)) await this.#nextEnd();
  }

  /** The partition is somebody else's already: no new call, and nothing is told of the one under way. */
  drop(partition: number): void {
    this.#let(partition, "dropped");
    const called = this.#called.get(partition);
    if (called !== undefined) called.state = "dropped";
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.#work();
  }

  /** No new call; resolves when those under way have ended. Idempotent. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    while (this.#called.size > 0) await this.#nextEnd();
  }

  #nextEnd(): Promise<void> {
    return new Promise((resolve) => this.#ended.push(resolve));
  }

  #let(partition: number, state: "released" | "dropped"): void {
    const lane = this.#lanes.get(partition);
    if (lane === undefined) return;
    lane.state = state;
    this.#lanes.delete(partition);
    this.#turns.delete(lane);
  }

  #line(lane: Lane<Item>): void {
    if (lane.state === "held" && lane.items.length > 0 && !this.#resting.has(lane)) this.#turns.add(lane);
  }

  #work(): void {
    for (const lane of this.#turns) {
      if (this.#state !== "running" || this.#called.size >= this.#options.callsMax) return;
      if (this.#called.has(lane.partition)) continue;
      this.#turns.delete(lane);
      this.#called.set(lane.partition, lane);
      void this.#call(lane);
    }
  }

  async #call(lane: Lane<Item>): Promise<void> {
    const items = lane.items.slice(0, this.#options.itemsPerCallMax);
    let done = true;
    try {
      await this.#options.handle(items);
    } catch {
      // Whoever handles says what went wrong; here it only means: again.
      done = false;
    }
    this.#called.delete(lane.partition);
    if (done) lane.items.splice(0, items.length);
    if (done && lane.state !== "dropped") this.#options.onDone(lane.partition, items);
    if (done) this.#line(lane);
    else this.#rest(lane);
    this.#work();
    for (const resolve of this.#ended.splice(0)) resolve();
  }

  #rest(lane: Lane<Item>): void {
    this.#turns.delete(lane);
    this.#resting.add(lane);
    this.#options.clock.schedule(this.#options.retryMs, () => {
      this.#resting.delete(lane);
      this.#line(lane);
      this.#work();
    });
  }
}
