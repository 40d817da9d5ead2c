import type { AppendFate, Weather } from "../helpers/core-ports/weather.ts";
import type { Plan } from "./plan.ts";
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
  readonly #plan: Pick<Plan, "rough" | "storeDelayMsMax" | "tight">;
  readonly #settleLate: () => void;
  #over = false;
  /** Whoever appends now dies before the list rows are written. */
  dying = false;

  constructor(scheduler: Scheduler, plan: Pick<Plan, "rough" | "storeDelayMsMax" | "tight">, settleLate: () => void) {
    this.#scheduler = scheduler;
    this.#plan = plan;
    this.#settleLate = settleLate;
  }

  end(): void {
    this.#over = true;
  }

  pause(operation: string): Promise<void> | undefined {
    const { tight, storeDelayMsMax } = this.#plan;
    if (tight !== undefined && operation.startsWith("log.") && !this.#over && this.#scheduler.chance(tight.slowShare)) {
      return this.#scheduler.sleep(this.#scheduler.between(0, tight.slowMsMax));
    }
    const { float } = this.#scheduler.random;
    const drawn = float();
    // A third of the ways cost nothing; a few are ten times as long as the rest.
    if (drawn < 0.33) return undefined;
    const factor = drawn > 0.98 ? 10 : 1;
    return this.#scheduler.sleep(float() * storeDelayMsMax * factor);
  }

  fails(operation: string): boolean {
    const { tight, rough } = this.#plan;
    const share = operation.startsWith("log.") ? Math.max(tight?.failShare ?? 0, rough.stores) : rough.stores;
    return !this.#over && this.#scheduler.chance(share);
  }

  appendFate(): AppendFate {
    if (this.dying) return "applied";
    if (this.#over || !this.#scheduler.chance(this.#plan.rough.appends)) return "calm";
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
