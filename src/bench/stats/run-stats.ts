import { assert, present } from "../../base/assert.ts";
import { Bystanders, type SerialisedBystanders } from "./bystanders.ts";
import { Counters, type CounterName, type CounterValues } from "./counters.ts";
import { routes } from "../metrics.ts";
import { Histogram } from "./histogram.ts";
import { LatencyTriple, type SerialisedTriple } from "./latency.ts";
import { Resyncs, type SerialisedResyncs } from "./resyncs.ts";
import { type SerialisedSeries, TimeSeries } from "./time-series.ts";
import type { Timeline } from "./timeline.ts";

/**
 * All that a worker measures: per workload and phase counters, the three latencies and deliveries, per workload a time
 * series. An operation belongs to the phase of its intended start. Phases that are not recorded keep counters only.
 * Workers send theirs serialised; the driver merges. Times in ms since t0.
 */
export const deliveryEdges = ["each", "first", "last"] as const;
export type DeliveryEdge = (typeof deliveryEdges)[number];
/** `each`, once more by route where there are several servers. */
const deliveryParts = [...deliveryEdges, ...routes] as const;
export type DeliveryPart = (typeof deliveryParts)[number];

export interface Cell {
  readonly counters: Counters;
  readonly latency: LatencyTriple;
  readonly delivery: Readonly<Record<DeliveryPart, Histogram>>;
}

interface SerialisedCell {
  readonly workload: number;
  readonly phase: number;
  readonly counters: CounterValues;
  readonly latency: SerialisedTriple;
  readonly delivery: Readonly<Record<DeliveryPart, readonly number[]>>;
}

export interface SerialisedStats {
  readonly cells: readonly SerialisedCell[];
  readonly series: readonly SerialisedSeries[];
  readonly resyncs: SerialisedResyncs;
  readonly bystanders: SerialisedBystanders;
}

export interface StatsWorkload {
  readonly name: string;
  /** Phases in which it runs; undefined = all. */
  readonly during?: readonly string[];
}

export class RunStats {
  readonly workloads: readonly StatsWorkload[];
  readonly timeline: Timeline;
  /** When the load stopped, ms since t0, if that was before its time; phases are only as long as they lasted. */
  stoppedMs = Number.POSITIVE_INFINITY;
  /** Of all phases: when a connection is lost is not the load's doing. */
  readonly resyncs = new Resyncs();
  readonly bystanders = new Bystanders();
  /** By workload × phase; made when first used, since a cell is some 0.7 MB. */
  readonly #cells: (Cell | undefined)[];
  readonly #series: readonly TimeSeries[];

  constructor(workloads: readonly StatsWorkload[], timeline: Timeline) {
    this.workloads = workloads;
    this.timeline = timeline;
    this.#cells = Array.from({ length: workloads.length * timeline.phases.length });
    this.#series = workloads.map(() => new TimeSeries(timeline.endMs));
  }

  count(workload: number, name: CounterName, intendedMs: number, by = 1): void {
    this.#cellAt(workload, intendedMs)?.counters.add(name, by);
  }

  started(workload: number, intendedMs: number, startMs: number): void {
    this.count(workload, "started", intendedMs);
    this.series(workload).started(startMs);
  }

  /** Latencies are those of operations that succeeded; a failure is fast or slow for reasons of its own. */
  ended(workload: number, intendedMs: number, startMs: number, endMs: number, ok: boolean): void {
    this.series(workload).ended(endMs, endMs - intendedMs, ok);
    const cell = this.#cellAt(workload, intendedMs);
    if (cell === undefined) return;
    cell.counters.add(ok ? "succeeded" : "failed");
    if (ok && this.#recorded(intendedMs)) cell.latency.record(intendedMs, startMs, endMs);
  }

  /**
   * A message of the workload has reached a socket (`each`, and with several servers by what route), or the first or last of
   * its recipients' sockets here.
   */
  delivered(workload: number, intendedMs: number, atMs: number, part: DeliveryPart): void {
    if (part === "each") this.series(workload).delivered(atMs);
    const cell = this.#cellAt(workload, intendedMs);
    if (cell === undefined) return;
    if (part === "each") cell.counters.add("pushes");
    if (this.#recorded(intendedMs)) cell.delivery[part].record((atMs - intendedMs) * 1_000);
  }

  series(workload: number): TimeSeries {
    return present(this.#series[workload], "workload");
  }

  /** Undefined when nothing of the workload happened in the phase. */
  cell(workload: number, phase: number): Cell | undefined {
    return this.#cells[workload * this.timeline.phases.length + phase];
  }

  serialise(): SerialisedStats {
    const phases = this.timeline.phases.length;
    const cells = this.#cells.flatMap((cell, index): SerialisedCell[] => {
      if (cell === undefined) return [];
      return [
        {
          workload: Math.floor(index / phases),
          phase: index % phases,
          counters: cell.counters.values(),
          latency: cell.latency.serialise(),
          delivery: ofEachPart((part) => cell.delivery[part].serialise()),
        },
      ];
    });
    return {
      cells,
      series: this.#series.map((series) => series.serialise()),
      resyncs: this.resyncs.serialise(),
      bystanders: this.bystanders.serialise(),
    };
  }

  /** The stats of another worker of the same run. */
  merge(data: SerialisedStats): void {
    assert(data.series.length === this.#series.length, "stats of one scenario");
    for (const from of data.cells) {
      const cell = this.#cellOf(from.workload, from.phase);
      cell.counters.merge(from.counters);
      cell.latency.merge(LatencyTriple.deserialise(from.latency));
      for (const part of deliveryParts) cell.delivery[part].merge(Histogram.deserialise(from.delivery[part]));
    }
    data.series.forEach((series, workload) => this.series(workload).merge(series));
    this.resyncs.merge(data.resyncs);
    this.bystanders.merge(data.bystanders);
  }

  /** Cells of the recorded phases, of one workload and phase if named. */
  recordedCells(workload?: string, phase?: string): Cell[] {
    const cells: Cell[] = [];
    this.workloads.forEach(({ name }, index) => {
      if (workload !== undefined && workload !== name) return;
      this.timeline.phases.forEach((candidate, number) => {
        if (!candidate.record || (phase !== undefined && phase !== candidate.name)) return;
        const cell = this.cell(index, number);
        if (cell !== undefined) cells.push(cell);
      });
    });
    return cells;
  }

  /** Seconds of the recorded phases; of one if named, and only of those in which the workload runs, if named. */
  recordedSeconds(phase?: string, workload?: string): number {
    const during = this.workloads.find(({ name }) => name === workload)?.during;
    let totalMs = 0;
    this.timeline.phases.forEach(({ record, name, durationMs }, index) => {
      if (!record || (phase !== undefined && phase !== name) || during?.includes(name) === false) return;
      totalMs += Math.max(0, Math.min(durationMs, this.stoppedMs - this.timeline.startMs(index)));
    });
    return totalMs / 1_000;
  }

  #recorded(intendedMs: number): boolean {
    return this.timeline.phases[this.timeline.phaseAt(intendedMs)]?.record ?? false;
  }

  #cellAt(workload: number, intendedMs: number): Cell | undefined {
    const phase = this.timeline.phaseAt(intendedMs);
    return phase < 0 ? undefined : this.#cellOf(workload, phase);
  }

  #cellOf(workload: number, phase: number): Cell {
    assert(workload < this.workloads.length && phase < this.timeline.phases.length, "workload and phase");
    return (this.#cells[workload * this.timeline.phases.length + phase] ??= {
      counters: new Counters(),
      latency: new LatencyTriple(),
      delivery: ofEachPart(() => new Histogram()),
    });
  }
}

function ofEachPart<T>(of: (part: DeliveryPart) => T): Record<DeliveryPart, T> {
  return Object.fromEntries(deliveryParts.map((part) => [part, of(part)])) as Record<DeliveryPart, T>;
}
