import { WireError } from "../../../src/protocol/wire-errors.ts";

/** What becomes of one append. All but `calm` are things a real store does under load, partition or power loss. */
export type AppendFate =
  | "calm"
  /** Rejects before anything was written. */
  | "unavailable"
  | "full"
  /** Undecided, and nothing was or will be written. */
  | "lost"
  /** Undecided, rows written, none of the list rows. */
  | "applied"
  /** Undecided, rows written, some of the list rows (see `keepsWrite`). */
  | "applied_in_part"
  /** Undecided, and applied later, if its condition still holds then; a serial read settles it (see `settlesLate`). */
  | "late";

/**
 * The faults of the in-memory stores: one object, asked at every operation, so that a test or a seeded simulator decides
 * each of them. The default is fair weather with operations that resolve in the next microtask.
 */
export interface Weather {
  /** Awaited once before an operation takes effect and once after it: what overtakes what is decided here. */
  pause(operation: string): Promise<void> | undefined;
  /**
   * Whether a read or a plain write fails as `store_unavailable`. Asked twice: for `operation` before it takes effect,
   * then for `operation.answer` after it did (a write whose answer was lost).
   */
  fails(operation: string): boolean;
  appendFate(conversationId: string): AppendFate;
  /** `late`: whether a serial read finishes it (true) or drops it for ever. */
  settlesLate(): boolean;
  /** `applied_in_part`: whether this list write was done. */
  keepsWrite(): boolean;
  /** Whether a delivery to one subscriber is lost. */
  losesDelivery(): boolean;
}

export function fairWeather(): Weather {
  return {
    pause: () => undefined,
    fails: () => false,
    appendFate: () => "calm",
    settlesLate: () => true,
    keepsWrite: () => true,
    losesDelivery: () => false,
  };
}

/** Runs one operation of a store under the weather. `run` takes effect at one instant. */
export async function under<T>(weather: Weather, operation: string, run: () => T): Promise<T> {
  await weather.pause(operation);
  if (weather.fails(operation)) throw new WireError("store_unavailable", { detail: `${operation} did not answer` });
  const result = run();
  await weather.pause(operation);
  if (weather.fails(`${operation}.answer`))
    throw new WireError("store_unavailable", { detail: `${operation}: no answer` });
  return result;
}
