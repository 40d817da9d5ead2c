import { livenessOf, ownIdentity, startOf } from "../../base/process-identity.ts";

/** What stack.json says about a process, as far as it tells that one from all others. */
export interface RecordedProcess {
  readonly pid: number;
  /** Boot of the machine and start within it. */
  readonly startedAt: string;
}

/** Undefined = there is no such process. */
export function recordedStart(pid: number): string | undefined {
  const start = startOf(pid);
  return start === undefined ? undefined : `${ownIdentity().boot} ${start}`;
}

/** Whether that very process runs; another one with its pid does not count. */
export function isRunning(recorded: RecordedProcess): boolean {
  const self = ownIdentity();
  const at = recorded.startedAt.indexOf(" ");
  const [boot, startedAt] = [recorded.startedAt.slice(0, at), recorded.startedAt.slice(at + 1)];
  return livenessOf({ pid: recorded.pid, boot, startedAt, namespace: self.namespace }, self) === "running";
}
