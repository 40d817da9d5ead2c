import type { BenchResult, StoreResult } from "../report/result.ts";
import type { RedisWatch, StoreFact } from "../workloads/store-facts.ts";
import { sampleProcess } from "./process-sample.ts";
import type { StoreAccess } from "./store-access.ts";

/**
 * The stores of a run as its result names them, with what they used on the run's time axis: processes of `msgr stack` by
 * the system's account of them, Redis by its own.
 */
interface Reading {
  readonly atMs: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Redis only; since it started. */
  readonly commands?: number;
}

/** A day at one a second; later readings are left out. */
const readingsMax = 90_000;

export class StoreMonitor {
  readonly #facts: readonly StoreFact[];
  readonly #access: StoreAccess;
  readonly #redis: RedisWatch | undefined;
  readonly #captures: readonly string[];
  readonly #readings = new Map<string, Reading[]>();

  private constructor(
    access: StoreAccess,
    facts: readonly StoreFact[],
    redis: RedisWatch | undefined,
    captures: readonly string[],
  ) {
    this.#access = access;
    this.#facts = facts;
    this.#redis = redis;
    this.#captures = captures;
  }

  /** Asks these stores who they are. Throws StoreError for one that will not do; then no connection is left. */
  static async open(
    access: StoreAccess,
    captures: readonly string[],
    names: readonly StoreFact["name"][],
  ): Promise<StoreMonitor> {
    const { askCassandra, askPostgres, RedisWatch } = await import("../workloads/store-facts.ts");
    const facts: StoreFact[] = [];
    // Redis last: its connection stays open, and nothing may fail after it.
    if (names.includes("cassandra")) facts.push(await askCassandra(access));
    if (names.includes("postgres")) facts.push(await askPostgres(access));
    const redis = names.includes("redis") ? await RedisWatch.open(access) : undefined;
    if (redis !== undefined) facts.push(redis.fact);
    return new StoreMonitor(access, facts, redis, captures);
  }

  async sample(atMs: number): Promise<void> {
    if (this.#captures.includes("process")) {
      for (const { name, pid } of this.#access.processes) {
        const sample = name === "redis" ? undefined : sampleProcess(pid);
        if (sample !== undefined) this.#note(name, { atMs, ...sample });
      }
    }
    if (!this.#captures.includes("redis")) return;
    const sample = await this.#redis?.sample();
    if (sample === undefined) return;
    const { cpuSeconds, rssBytes, commands } = sample;
    this.#note("redis", { atMs, cpuSeconds, rssBytes, commands });
  }

  /** Over the readings between the two times. */
  results(fromMs: number, toMs: number): BenchResult["stores"] {
    const unknown = this.#access.processes
      .filter(({ name }) => this.#readings.has(name) && !this.#facts.some((fact) => fact.name === name))
      .map(({ name, version, address }) => ({ name, version, address }));
    return [...this.#facts, ...unknown].map((fact) => ({
      ...fact,
      ...describe((this.#readings.get(fact.name) ?? []).filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)),
    }));
  }

  close(): void {
    this.#redis?.close();
  }

  #note(name: string, reading: Reading): void {
    const readings = this.#readings.get(name) ?? [];
    this.#readings.set(name, readings);
    if (readings.length < readingsMax) readings.push(reading);
  }
}

function describe(readings: readonly Reading[]): Omit<StoreResult, "name" | "version" | "address"> {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return {};
  const seconds = (last.atMs - first.atMs) / 1_000;
  const commands = growth(readings.flatMap((reading) => reading.commands ?? []));
  return {
    cpu: growth(readings.map(({ cpuSeconds }) => cpuSeconds)) / seconds,
    rssPeakBytes: readings.reduce((peak, { rssBytes }) => Math.max(peak, rssBytes), 0),
    ...(first.commands === undefined ? {} : { commandsPerSecond: commands / seconds }),
    series: readings.slice(1).map((reading, index) => {
      const before = readings[index] as Reading;
      const spanSeconds = Math.max(0.001, (reading.atMs - before.atMs) / 1_000);
      return {
        atMs: Math.round(reading.atMs),
        cpu: growth([before.cpuSeconds, reading.cpuSeconds]) / spanSeconds,
        rssBytes: reading.rssBytes,
      };
    }),
  };
}

/** Of a count that begins anew when its process does: what came then came from 0. */
function growth(counts: readonly number[]): number {
  let sum = 0;
  counts.forEach((count, index) => {
    const before = counts[index - 1];
    if (before !== undefined) sum += count >= before ? count - before : count;
  });
  return sum;
}
