import type { Random } from "../../../src/base/random.ts";
import { randomBelow } from "../../../src/base/random.ts";

/**
 * Decides with a seed who goes on next: everything that waits in `pause` waits for its turn. The order of the awaits of
 * one run is then a function of the seed, and two runs with one seed are the same run.
 */
export class StepScheduler {
  readonly #random: Random;
  #waiting: (() => void)[] = [];
  steps = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Lets one after the other go on until `done` settles. Throws when nobody can go on, or after `stepsMax`. */
  async run<T>(done: Promise<T>, stepsMax: number): Promise<T> {
    const state = { settled: false };
    const settle = (): void => {
      state.settled = true;
    };
    const watch = done.then(settle, settle);
    for (await quiet(); !state.settled; await quiet()) {
      const next = this.#waiting.splice(randomBelow(this.#random, this.#waiting.length || 1), 1)[0];
      if (next === undefined) throw new Error(`everyone waits after ${this.steps} steps`);
      if (++this.steps > stepsMax) throw new Error(`not done after ${stepsMax} steps`);
      next();
    }
    await watch;
    return done;
  }
}

/** Until no promise reaction is left to run. */
function quiet(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
