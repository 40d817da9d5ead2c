/**
 * What can be wrong with the messages of a run, each with the promise it breaks. Any of them makes the run's verdict
 * "broken", whatever its speed.
 */
export const faults = {
  lost: "I1: in the log, but a device that should hold it does not",
  acked_not_in_log: "I1: answered with ACK, but not in the log",
  acked_seq_differs: "I1: in the log at another seq than the ACK said",
  refused_in_log: "I1: refused for good, but in the log",
  not_listed: "I1: a member's list does not reach the head of the conversation",
  duplicated: "I2: twice in the log, or twice on a device",
  repeated_seq: "I2: two messages under one seq",
  invented: "I2: on a device or in the log, but never sent",
  gap_in_seq: "I3: a seq without a row",
  reordered: "I3: messages of one sender in another order than sent",
  causal_order: "I3: sent after another was acked, but before it in the log",
  status_backwards: "I4: a recipient's watermark went back",
  delivered_too_early: "I4: delivered, before any device of the recipient had stored it",
  read_too_early: "I4: read, before the recipient had seen it",
  diverged: "I5: a device holds other rows than the log",
  unread_wrong: "I8: an unread count that the log does not bear out",
  media_lost: "I11: committed, but not there any more, or other bytes",
  register_low: "a register that stands below what was acknowledged",
  false_offline: "I6: offline in an answer, though alive: it had beaten within the time for which a heartbeat holds",
  unclassified: "so many holes at one time that late rows could not be told from repeated ones",
} as const;

export type Fault = keyof typeof faults;
export const faultNames = Object.keys(faults) as Fault[];

export interface FaultCase {
  readonly fault: Fault;
  readonly detail: string;
}

export interface FaultReport {
  readonly counts: Readonly<Partial<Record<Fault, number>>>;
  /** The first of each kind, in full. */
  readonly cases: readonly FaultCase[];
}

/** Counts are exact; of each kind only the first `casesMax` are kept, and only those are put into words. */
export class FaultList {
  readonly casesMax: number;
  readonly #counts = new Map<Fault, number>();
  readonly #cases: FaultCase[] = [];

  constructor(casesMax = 20) {
    this.casesMax = casesMax;
  }

  add(fault: Fault, detail: () => string, count = 1): void {
    const before = this.#counts.get(fault) ?? 0;
    this.#counts.set(fault, before + count);
    if (this.#cases.filter((found) => found.fault === fault).length < this.casesMax)
      this.#cases.push({ fault, detail: detail() });
  }

  count(fault: Fault): number {
    return this.#counts.get(fault) ?? 0;
  }

  total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  merge(report: FaultReport): void {
    for (const name of faultNames) {
      const count = report.counts[name] ?? 0;
      if (count > 0) this.#counts.set(name, this.count(name) + count);
    }
    for (const found of report.cases) {
      const kept = this.#cases.filter((known) => known.fault === found.fault).length;
      if (kept < this.casesMax) this.#cases.push(found);
    }
  }

  report(): FaultReport {
    return { counts: Object.fromEntries(this.#counts), cases: [...this.#cases] };
  }
}
