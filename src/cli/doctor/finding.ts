import type { StoreError } from "../../base/store-error.ts";
import type { Config } from "../../server/config/config-schema.ts";

export type FindingState = "ok" | "warn" | "fail";

/** One thing that was looked at. */
export interface Finding {
  /** `postgres`, `open files`, … */
  readonly check: string;
  readonly state: FindingState;
  readonly message: string;
  /** What to do about it; absent when all is well. */
  readonly fix?: string;
}

export interface CheckContext {
  readonly config: Config;
  /** Wall clock, ms since the epoch. */
  readonly nowMs: () => number;
}

/** Looks at one thing. Bounded in time by the time-outs of the configuration; never rejects for what it looks at. */
export interface Check {
  readonly name: string;
  run(context: CheckContext): Promise<readonly Finding[]>;
}

export function ok(check: string, message: string): Finding {
  return { check, state: "ok", message };
}

export function storeFinding(error: StoreError): Finding {
  return { check: error.store, state: "fail", message: error.message, fix: error.fix };
}

/** How far two clocks may be apart before tokens, leases and signed addresses begin to suffer, ms. */
export const clockOffsetMsMax = 5_000;

/** `theirs` was read between `before` and `after` of our clock, all in ms since the epoch. */
export function clockFinding(check: string, theirs: number, before: number, after: number): Finding {
  const offset = theirs < before ? theirs - before : theirs > after ? theirs - after : 0;
  if (Math.abs(offset) <= clockOffsetMsMax) return ok(check, "its clock and this machine's agree");
  const seconds = Math.round(Math.abs(offset) / 1_000);
  return {
    check,
    state: "fail",
    message: `its clock is ${seconds} s ${offset > 0 ? "ahead of" : "behind"} this machine's`,
    fix: "Run an NTP client on both (`timedatectl set-ntp true`).",
  };
}
