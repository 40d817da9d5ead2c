import { MigrateError } from "./migrate-error.ts";
import type { LockHolder } from "./schema-store.ts";

/** The lock was not to be had in the time allowed. */
export function lockHeld(holder: LockHolder | undefined): MigrateError {
  const since = holder?.since === undefined ? "" : ` since ${holder.since.toISOString()}`;
  const who = holder === undefined ? "Another runner" : `${holder.name} (${holder.id})`;
  return new MigrateError(
    "locked",
    `${who} holds the lock${since}.`,
    "Wait for it, with a longer --lock-timeout if need be; `msgr migrate unlock` shows how to take the lock away.",
  );
}
