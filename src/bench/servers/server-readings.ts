/**
 * What each server of a run was seen to hold, reading by reading: resident memory, and what waits in its queues. A server
 * that was killed and started again is another process, and its readings stand apart. Bounded: beyond `readingsMax` of a
 * process two neighbours become one, which keeps their maximum and the time of the later one.
 */
export interface QueueLevels {
  readonly entries: Readonly<Record<string, number>>;
  readonly bytes: Readonly<Record<string, number>>;
}

export interface MemoryReading {
  /** ms since t0. */
  readonly atMs: number;
  readonly rssBytes: number;
}

export interface QueueReading {
  /** ms since t0. */
  readonly atMs: number;
  readonly levels: QueueLevels;
}

export interface ProcessHistory {
  readonly memory: readonly MemoryReading[];
  readonly queues: readonly QueueReading[];
}

export interface ServerHistory {
  /** `server-1`. */
  readonly server: string;
  /** In the order in which they were started; only those that were read. */
  readonly processes: readonly ProcessHistory[];
}

interface Kept {
  memory: MemoryReading[];
  queues: QueueReading[];
}

export class ServerReadings {
  readonly #readingsMax: number;
  /** By server, then by process. */
  readonly #servers = new Map<string, Map<number, Kept>>();

  /** `readingsMax`: of a kind and process, even. One a second fills it in somewhat more than an hour. */
  constructor(readingsMax = 4_096) {
    this.#readingsMax = readingsMax;
  }

  /** A process without memory is one that has just ended, and says nothing. */
  noteMemory(server: string, pid: number, atMs: number, rssBytes: number): void {
    if (rssBytes === 0) return;
    const kept = this.#of(server, pid);
    kept.memory.push({ atMs, rssBytes });
    if (kept.memory.length > this.#readingsMax) kept.memory = halve(kept.memory, laterMemory);
  }

  noteQueues(server: string, pid: number, atMs: number, levels: QueueLevels): void {
    const kept = this.#of(server, pid);
    kept.queues.push({ atMs, levels });
    if (kept.queues.length > this.#readingsMax) kept.queues = halve(kept.queues, laterQueues);
  }

  histories(): readonly ServerHistory[] {
    return [...this.#servers].map(([server, processes]) => ({ server, processes: [...processes.values()] }));
  }

  #of(server: string, pid: number): Kept {
    let processes = this.#servers.get(server);
    if (processes === undefined) this.#servers.set(server, (processes = new Map<number, Kept>()));
    let kept = processes.get(pid);
    if (kept === undefined) processes.set(pid, (kept = { memory: [], queues: [] }));
    return kept;
  }
}

/** The newest stays as it is: it may be the last one. */
function halve<Reading>(readings: readonly Reading[], join: (one: Reading, later: Reading) => Reading): Reading[] {
  const halved: Reading[] = [];
  const last = readings.length - 1;
  for (let index = 0; index < last; index += 2) {
    const [one, later] = [readings[index] as Reading, readings[index + 1] as Reading];
    halved.push(index + 1 < last ? join(one, later) : one);
  }
  halved.push(readings[last] as Reading);
  return halved;
}

function laterMemory(one: MemoryReading, later: MemoryReading): MemoryReading {
  return { atMs: later.atMs, rssBytes: Math.max(one.rssBytes, later.rssBytes) };
}

function laterQueues(one: QueueReading, later: QueueReading): QueueReading {
  return {
    atMs: later.atMs,
    levels: {
      entries: highest(one.levels.entries, later.levels.entries),
      bytes: highest(one.levels.bytes, later.levels.bytes),
    },
  };
}

function highest(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const joined: Record<string, number> = { ...one };
  for (const [queue, level] of Object.entries(other)) joined[queue] = Math.max(level, joined[queue] ?? 0);
  return joined;
}
