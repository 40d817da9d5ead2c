import type { Clock } from "./clock.ts";
import type { LogFields } from "./logger.ts";
import { StoreError } from "./store-error.ts";

/** For how long failures of a kind are gathered into one line. */
const intervalMs = 1_000;
/** Kinds told apart at a time; those beyond share one. */
const kindsMax = 64;

/** `fields` is called for failures that get a line only. */
export type ReportFailure = (kind: string, fields: () => LogFields) => void;

/**
 * Bounds what is logged of failures that a client or a store can cause thousands of times a second. Of each kind the first
 * is written at once; those that follow are counted, and a second later the last of them is written with their number, and
 * so on until a second brings none. So each line stands for `failures` of them; a process that ends owes at most the last
 * second's.
 */
export function createFailureLog(clock: Clock, write: (fields: LogFields) => void): ReportFailure {
  const kinds = new Map<string, { failures: number; last: () => LogFields }>();

  function gather(kind: string): void {
    clock.schedule(intervalMs, () => {
      const gathered = kinds.get(kind);
      kinds.delete(kind);
      if (gathered === undefined || gathered.failures === 0) return;
      kinds.set(kind, { failures: 0, last: gathered.last });
      gather(kind);
      write({ ...gathered.last(), failures: gathered.failures });
    });
  }

  return (kind, fields) => {
    const known = kinds.has(kind) || kinds.size < kindsMax ? kind : "";
    const gathered = kinds.get(known);
    if (gathered !== undefined) {
      gathered.failures++;
      gathered.last = fields;
      return;
    }
    kinds.set(known, { failures: 0, last: fields });
    gather(known);
    write({ ...fields(), failures: 1 });
  };
}

/** What an operator would tell apart: which store and what is wrong with it, also as the cause, or the class of the error. */
export function kindOf(error: unknown): string {
  if (error instanceof StoreError) return `${error.store} ${error.kind}`;
  if (!(error instanceof Error)) return typeof error;
  return error.cause instanceof StoreError ? kindOf(error.cause) : error.name;
}
