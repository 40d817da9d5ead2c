import type { FaultReport } from "../ledger/faults.ts";

/** What became of promise I6 in a run. Durations in ms. */
export interface PresenceVerdict {
  /** Users who were watched, and those who watched them. */
  readonly users: number;
  readonly watchers: number;
  /** Time in which it was certain what a watcher had to see, summed over pairs of watcher and user; and what was excused of it. */
  readonly checkedMs: number;
  readonly excusedMs: number;
  /** A connection was made → its user was seen online. */
  readonly online: PresenceTimes;
  /** The last connection was closed by its device → offline. */
  readonly left: PresenceTimes;
  /** The last heartbeat of a device that fell silent, or whose server was killed → offline. */
  readonly silent: PresenceTimes;
  /** Of the silent, those whose server was killed. */
  readonly killed: number;
  /** Of all these, those seen through another server than the user's own. */
  readonly cross: number;
  /** Changes that nobody could see in time for a reason that counts (excuses.ts). */
  readonly excused: number;
  /** Told offline, though certainly alive. */
  readonly falseOffline: number;
  /** The first of each kind. */
  readonly cases: readonly PresenceCase[];
  /** From then on nothing was judged: a worker had no more room to note it. Ms since t0. */
  readonly cutAtMs?: number | undefined;
}

export interface PresenceTimes {
  readonly count: number;
  readonly p50Ms: number;
  readonly maxMs: number;
}

export interface PresenceCase {
  readonly kind: "false_offline" | "late_online" | "late_left" | "late_silent";
  readonly detail: string;
}

/** Nothing was seen that could have been wrong. */
export function isUnchecked({ checkedMs, online, left, silent }: PresenceVerdict): boolean {
  return checkedMs === 0 && online.count + left.count + silent.count === 0;
}

/**
 * What the ledger has to answer for. That somebody alive is said to be offline is certain, since the server had answered
 * that device later, and wrong at any speed: a fault, as in a run on the stores. How long a change takes to be seen is a
 * matter of time, on a machine that may be busy: those are thresholds (measurements.ts).
 */
export function toFaults({ falseOffline, cases }: PresenceVerdict): FaultReport {
  const found = cases.filter(({ kind }) => kind === "false_offline");
  return {
    counts: falseOffline === 0 ? {} : { false_offline: falseOffline },
    cases: found.map(({ detail }) => ({ fault: "false_offline", detail })),
  };
}
