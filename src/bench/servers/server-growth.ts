import type { MemoryReading, QueueReading, ServerHistory } from "./server-readings.ts";

/**
 * Promise I12, the half about bounds: no unbounded queue or memory. Of each server: how far its memory rose above what it
 * was before the first fault, and what is left in its queues when the drain is over, since whatever grows and never falls
 * back is a leak. A server that was started again is measured against what it had before the fault as well, in its process
 * of then: that is what the same load took.
 */
export interface GrowthSpan {
  /** When the first fault began; without faults the start of the first recorded phase. ms since t0. */
  readonly sinceMs: number;
  /** When the load ended: what is left was read after that. ms since t0. */
  readonly loadEndMs: number;
}

export interface MemoryGrowth {
  /** The last reading before; where there is none, the first of all. */
  readonly beforeBytes: number;
  /** From then on, of any of its processes. */
  readonly peakBytes: number;
  /** Of the process that it ended as; undefined: it was not read after the load. */
  readonly endBytes: number | undefined;
}

export interface QueueGrowth {
  readonly queue: string;
  readonly unit: "entries" | "bytes";
  /** The lowest level before; where nothing was read then, the first of all. */
  readonly before: number;
  readonly peak: number;
  /** The last reading; undefined: there was none after the load. */
  readonly end: number | undefined;
}

export interface ServerGrowth {
  readonly server: string;
  /** How many processes it was, one after the other. */
  readonly processes: number;
  /** Undefined: its memory was never read. */
  readonly memory: MemoryGrowth | undefined;
  readonly queues: readonly QueueGrowth[];
}

/** What is demanded of a run with faults that does not say better what it wants. */
export const growthLimits = {
  /** Node collects when it sees fit: a burst may leave some hundred MiB behind, a leak stops nowhere. */
  memoryBytes: 512 * 1024 * 1024,
  /** A heartbeat that is being answered, a connection that renews its lease. */
  queueEntries: 16,
  queueBytes: 64 * 1024,
} as const;

export function growthOf(history: ServerHistory, span: GrowthSpan): ServerGrowth {
  const { server, processes } = history;
  const names = new Map<string, QueueGrowth["unit"]>();
  for (const { queues } of processes) {
    for (const { levels } of queues) {
      for (const unit of ["entries", "bytes"] as const)
        for (const queue of Object.keys(levels[unit])) names.set(`${unit} ${queue}`, unit);
    }
  }
  const readings = processes.flatMap(({ queues }) => queues);
  const queues = [...names].map(([name, unit]) => queueGrowth(name.slice(unit.length + 1), unit, readings, span));
  const memory = memoryGrowth(
    processes.flatMap((process) => process.memory),
    span,
  );
  return { server, processes: processes.length, memory, queues };
}

/** Of the server that grew most; undefined when one was not read. */
export function memoryGrowthBytes(growths: readonly ServerGrowth[]): number | undefined {
  return mostOf(growths.map(({ memory }) => memory && Math.max(0, memory.peakBytes - memory.beforeBytes)));
}

/** Of the queue in which most is left that was not there before; undefined when one was not read after the load. */
export function leftInQueues(growths: readonly ServerGrowth[], unit: QueueGrowth["unit"]): number | undefined {
  const perServer = growths.map(({ queues }) => mostOf(queues.filter((queue) => queue.unit === unit).map(leftIn)));
  return mostOf(perServer);
}

/** Whether what is left is no more than what is demanded of a run with faults. */
export function isDrained(growths: readonly ServerGrowth[]): boolean {
  const [entries, bytes] = [leftInQueues(growths, "entries"), leftInQueues(growths, "bytes")];
  if (entries === undefined || bytes === undefined) return false;
  return entries <= growthLimits.queueEntries && bytes <= growthLimits.queueBytes;
}

function leftIn({ before, end }: QueueGrowth): number | undefined {
  return end === undefined ? undefined : Math.max(0, end - before);
}

function mostOf(values: readonly (number | undefined)[]): number | undefined {
  if (values.length === 0) return undefined;
  let most = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    most = Math.max(most, value);
  }
  return most;
}

function memoryGrowth(readings: readonly MemoryReading[], span: GrowthSpan): MemoryGrowth | undefined {
  const before = readings.findLast(({ atMs }) => atMs <= span.sinceMs) ?? readings[0];
  const last = readings.at(-1);
  if (before === undefined || last === undefined) return undefined;
  let peakBytes = before.rssBytes;
  for (const { atMs, rssBytes } of readings) if (atMs > span.sinceMs) peakBytes = Math.max(peakBytes, rssBytes);
  const endBytes = last.atMs >= span.loadEndMs ? last.rssBytes : undefined;
  return { beforeBytes: before.rssBytes, peakBytes, endBytes };
}

function queueGrowth(
  queue: string,
  unit: QueueGrowth["unit"],
  readings: readonly QueueReading[],
  span: GrowthSpan,
): QueueGrowth {
  const levelIn = ({ levels }: QueueReading): number => levels[unit][queue] ?? 0;
  const last = readings.at(-1) as QueueReading;
  let [before, peak] = [Number.POSITIVE_INFINITY, 0];
  for (const reading of readings) {
    if (reading.atMs <= span.sinceMs) before = Math.min(before, levelIn(reading));
    peak = Math.max(peak, levelIn(reading));
  }
  if (before === Number.POSITIVE_INFINITY) before = levelIn(readings[0] as QueueReading);
  return { queue, unit, before, peak, end: last.atMs >= span.loadEndMs ? levelIn(last) : undefined };
}
