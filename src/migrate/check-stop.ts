import { MigrateError } from "./migrate-error.ts";
import type { ApplyOptions } from "./schema-store.ts";

/** Between two statements: throws when the lock was lost or somebody wants the run to end. */
export function checkStop({ lock, interrupted }: Pick<ApplyOptions, "lock" | "interrupted">): void {
  lock.lost.throwIfAborted();
  refuseInterrupted(interrupted);
}

export function refuseInterrupted(interrupted: AbortSignal): void {
  if (!interrupted.aborted) return;
  throw new MigrateError("interrupted", "Stopped between two statements.", "`msgr migrate up` goes on from there.");
}
