import type { FaultKind } from "./fault-kinds.ts";

/** A fault as it came about. Times in ms since t0. */
export interface FaultEvent {
  readonly do: FaultKind;
  readonly which: string;
  /** As the scenario has it. */
  readonly plannedAtMs: number;
  readonly forMs: number;
  /** When it began; undefined: the run was over before its turn came. */
  readonly atMs: number | undefined;
  /** When what was struck was whole again: a process that had to start is ready then. */
  readonly endMs: number | undefined;
}

/** What became of the run after a fault. */
export interface FaultOutcome extends FaultEvent {
  /** From its end until every kind of traffic that there was before had a success again. */
  readonly firstSuccessMs: number | undefined;
  /** From its end until everything went as before (recovery.ts); undefined: not seen before the next fault or the end. */
  readonly recoveryMs: number | undefined;
  /** It took place, and the run recovered. */
  readonly ok: boolean;
}
