import type { AppendFate, Weather } from "../helpers/core-ports/weather.ts";
import type { Roughness } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";

const fates: readonly AppendFate[] = ["unavailable", "full", "lost", "applied", "applied_in_part", "late", "late"];
/** Longest after its caller gave up that a store may still carry out an append. */
const lateMsMax = 8_000;

/**
 * The weather of the stores: every operation takes a drawn time on its way there and another on its way back, so that
 * requests overtake each other; appends end in each of the ways a real store has. `end()` stops the failing, not the delays.
 *
 * A late append happens when a serial read finds it, or by itself some seconds later, whichever comes first; a serial
 * read may also drop it for ever.
 */
export class SimWeather implements Weather {
  readonly #scheduler: Scheduler;
  readonly #rough: Roughness;
  readonly #delayMsMax: number;
  readonly #settleLate: () => void;
  #over = false;
  /** Whoever appends now dies before the list rows are written. */
  dying = false;

  constructor(scheduler: Scheduler, rough: Roughness, delayMsMax: number, settleLate: () => void) {
    this.#scheduler = scheduler;
    this.#rough = rough;
    this.#delayMsMax = delayMsMax;
    this.#settleLate = settleLate;
  }

  end(): void {
    this.#over = true;
  }

  pause(): Promise<void> | undefined {
    const { float } = this.#scheduler.random;
    const drawn = float();
    // A third of the ways cost nothing; a few are ten times as long as the rest.
    if (drawn < 0.33) return undefined;
    const factor = drawn > 0.98 ? 10 : 1;
    return this.#scheduler.sleep(float() * this.#delayMsMax * factor);
  }

  fails(): boolean {
    return !this.#over && this.#scheduler.chance(this.#rough.stores);
  }

  appendFate(): AppendFate {
    if (this.dying) return "applied";
    if (this.#over || !this.#scheduler.chance(this.#rough.appends)) return "calm";
    const fate = this.#scheduler.pick(fates);
    if (fate === "late") this.#scheduler.after(this.#scheduler.between(0, lateMsMax), this.#settleLate);
    return fate;
  }

  settlesLate(): boolean {
    return this.#scheduler.chance(0.5);
  }

  keepsWrite(): boolean {
    return this.#scheduler.chance(0.5);
  }

  losesDelivery(): boolean {
    return false;
  }
}
