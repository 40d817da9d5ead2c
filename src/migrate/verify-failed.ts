import { MigrateError } from "./migrate-error.ts";
import type { Migration } from "./migration.ts";
import { describePlace } from "./scanned.ts";
import type { Broken } from "./schema-store.ts";

export function verifyFailed({ file }: Migration, { statement, why }: Broken): MigrateError {
  return new MigrateError(
    "verify_failed",
    `${describePlace(file, statement.place)}: the migration ran, but this does not hold: ${why}`,
    "Correct the statements or the check, then run `msgr migrate up` again.",
  );
}
