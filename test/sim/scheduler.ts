import { createSeededRandom, randomBelow, type Random } from "../../src/base/random.ts";
import type { Clock, Timer } from "../../src/base/clock.ts";
import { VirtualTime } from "../helpers/virtual-time.ts";

/**
 * Time, chance and order of one run. Everything that waits (stores, links, timers, disks) waits here, so a run is a
 * function of its seed: one task at a time, and after each every promise reaction that it caused, to the last.
 *
 * The trade: tasks of one instant run in the order in which they were scheduled; what may overtake what is decided by
 * the delays that are drawn, not by shuffling. `hash` covers every task, so two runs that differ anywhere differ in it.
 */
export class Scheduler {
  readonly time = new VirtualTime();
  readonly random: Random;
  steps = 0;
  #hash = 0x811c9dc5;

  constructor(seed: number) {
    this.random = createSeededRandom(seed);
  }

  get nowMs(): number {
    return this.time.nowMs;
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, "0");
  }

  /** Makes what happened part of the hash. */
  mark(what: string, value: number): void {
    let hash = Math.imul(this.#hash ^ (value | 0) ^ Math.floor(this.nowMs * 16), 0x01000193);
    for (let index = 0; index < what.length; index++) hash = Math.imul(hash ^ what.charCodeAt(index), 0x01000193);
    this.#hash = hash >>> 0;
  }

  after(delayMs: number, run: () => void): Timer {
    return this.time.schedule(delayMs, run);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.time.schedule(delayMs, resolve);
    });
  }

  chance(share: number): boolean {
    return this.random.float() < share;
  }

  below(bound: number): number {
    return randomBelow(this.random, bound);
  }

  between(from: number, to: number): number {
    return from + this.random.float() * (to - from);
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** A clock that is off by `skewMs` for people, and for durations runs `rate` times as fast as it should. */
  clock(skewMs: number, rate = 1, gate: (run: () => void) => void = (run) => run()): Clock {
    return {
      nowMs: () => wallStartMs + Math.floor(this.nowMs * rate) + skewMs,
      monotonicMs: () => this.nowMs * rate,
      schedule: (delayMs, run) => this.after(delayMs / rate, () => gate(run)),
    };
  }

  /** Runs until `untilMs` of virtual time. Rejects when that takes more than `stepsMax` steps: something spins. */
  async runUntil(untilMs: number, stepsMax: number): Promise<void> {
    await reactions();
    for (let steps = 0; this.time.step(untilMs); steps++) {
      if (steps >= stepsMax) throw new Error(`no rest: ${stepsMax} steps before ${untilMs} ms`);
      this.mark("", ++this.steps);
      if (this.steps % 8_192 === 0) await turn();
      else await reactions();
    }
  }
}

const wallStartMs = 1_700_000_000_000;

/** Resolves when no promise reaction is left: the queue of ticks has its turn only then. */
function reactions(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}

/** Lets the process do what else it has to do. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
