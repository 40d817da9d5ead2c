/**
 * What happened to the operations of one workload in one phase. asked = due by the executor's schedule; started + capped
 * = asked, so nothing is dropped in silence; succeeded + failed + abandoned = started once the drain is over. skipped = due,
 * but there was nothing to do (the user was away, nothing was unread); such operations count as not asked for.
 */
export const counterNames = [
  "asked",
  "started",
  "capped",
  "succeeded",
  "failed",
  "abandoned",
  "skipped",
  "pushes",
  "bytesOut",
  "bytesIn",
] as const;
export type CounterName = (typeof counterNames)[number];
export type CounterValues = Readonly<Record<CounterName, number>>;

export class Counters {
  readonly #values: Record<CounterName, number> = Object.fromEntries(counterNames.map((name) => [name, 0])) as Record<
    CounterName,
    number
  >;

  add(name: CounterName, by = 1): void {
    this.#values[name] += by;
  }

  get(name: CounterName): number {
    return this.#values[name];
  }

  merge(other: CounterValues): void {
    for (const name of counterNames) this.#values[name] += other[name];
  }

  values(): CounterValues {
    return { ...this.#values };
  }
}
