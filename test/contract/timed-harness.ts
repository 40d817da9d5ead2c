/**
 * A store of soft state under test. Such stores take the time as an argument but may also keep a clock of their own
 * (a TTL in Redis), so the two move together: `advance` makes `now()` and the store `ms` older.
 */
export interface TimedHarness<Store> extends AsyncDisposable {
  readonly store: Store;
  now(): number;
  advance(ms: number): Promise<void>;
}

export type MakeTimedHarness<Store> = () => Promise<TimedHarness<Store>>;

/** For stores whose only clock is their caller's. */
export function createManualHarness<Store>(store: Store): TimedHarness<Store> {
  let now = 1_700_000_000_000;
  return {
    store,
    now: () => now,
    async advance(ms) {
      now += ms;
    },
    async [Symbol.asyncDispose]() {},
  };
}
