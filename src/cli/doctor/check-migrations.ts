import { StoreError } from "../../base/store-error.ts";
import { MigrateError } from "../../migrate/migrate-error.ts";
import { pendingMigrations, type PendingMigrations } from "../../migrate/pending.ts";
import { ok, type Check, type Finding } from "./finding.ts";

const check = "migrations";

/** A store that does not answer is the finding of its own check. */
export const migrationsCheck: Check = {
  name: check,
  async run({ config }) {
    try {
      return [migrationsFinding(await pendingMigrations(config))];
    } catch (error) {
      if (error instanceof StoreError) {
        return [{ check, state: "warn", message: `not known: ${error.message}`, fix: error.fix }];
      }
      if (error instanceof MigrateError) return [{ check, state: "fail", message: error.message, fix: error.fix }];
      throw error;
    }
  },
};

export function migrationsFinding({ cql, sql, newer }: PendingMigrations): Finding {
  if (newer.length > 0) {
    const message = `the stores have what this version does not know: ${newer.join(", ")}`;
    return { check, state: "fail", message, fix: "Use a version of msgr that is as new as the schema." };
  }
  const pending = [...cql.map((name) => `cql/${name}`), ...sql.map((name) => `sql/${name}`)];
  if (pending.length === 0) return ok(check, "all applied");
  return { check, state: "fail", message: `pending: ${pending.join(", ")}`, fix: "`msgr migrate up` applies them." };
}
