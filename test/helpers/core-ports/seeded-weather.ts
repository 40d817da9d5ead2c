import { randomBelow, type Random } from "../../../src/base/random.ts";
import type { AppendFate, Weather } from "./weather.ts";

export interface Storm {
  /** Share of appends that do not go well, in [0, 1]. */
  readonly appends: number;
  /** Share of other operations that fail, in [0, 1]. */
  readonly operations: number;
  readonly deliveries: number;
}

const fates: readonly AppendFate[] = ["unavailable", "full", "lost", "applied", "applied_in_part", "late"];

/** Weather drawn from a seed. `calm()` ends the storm, so that a run can come to its end and be checked. */
export class SeededWeather implements Weather {
  readonly #random: Random;
  readonly #pause: () => Promise<void> | undefined;
  #storm: Storm;

  constructor(random: Random, storm: Storm, pause: () => Promise<void> | undefined = () => undefined) {
    this.#random = random;
    this.#storm = storm;
    this.#pause = pause;
  }

  calm(): void {
    this.#storm = { appends: 0, operations: 0, deliveries: 0 };
  }

  pause(): Promise<void> | undefined {
    return this.#pause();
  }

  fails(): boolean {
    return this.#random.float() < this.#storm.operations;
  }

  appendFate(): AppendFate {
    if (this.#random.float() >= this.#storm.appends) return "calm";
    return fates[randomBelow(this.#random, fates.length)] ?? "calm";
  }

  settlesLate(): boolean {
    return this.#random.float() < 0.5;
  }

  keepsWrite(): boolean {
    return this.#random.float() < 0.5;
  }

  losesDelivery(): boolean {
    return this.#random.float() < this.#storm.deliveries;
  }
}
