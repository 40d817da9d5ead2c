import type pg from "pg";
import { postgresError } from "./errors.ts";

/** The oldest major version that the SQL of this project was written for. */
const versionMin = 160_000;

const tables = [
  "users",
  "user_settings",
  "contacts",
  "blocked_users",
  "groups",
  "group_members",
  "member_intervals",
  "group_changes",
  "conversation_settings",
  "device_numbers",
  "devices",
  "sessions",
  "used_refresh_hashes",
  "media",
];

const askDatabase = `
  SELECT current_setting('server_version_num')::integer AS version,
         current_setting('server_version') AS version_text,
         current_setting('transaction_read_only')::boolean AS read_only,
         ARRAY(SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL ORDER BY name) AS missing`;

interface DatabaseRow {
  readonly version: number;
  readonly version_text: string;
  readonly read_only: boolean;
  readonly missing: readonly string[];
}

/** Whether a server can work on this database. Rejects with a StoreError, or with the driver's error if it cannot be asked. */
export async function checkDatabase(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<DatabaseRow>(askDatabase, [tables]);
  const [database] = rows;
  if (database === undefined || database.version < versionMin) {
    throw postgresError("wrong_version", `PostgreSQL ${database?.version_text ?? "?"} is too old.`);
  }
  if (database.missing.length === tables.length) {
    throw postgresError("missing_database", "The database of PostgreSQL is there, but empty.");
  }
  if (database.missing.length > 0) {
    throw postgresError("missing_database", `The database of PostgreSQL lacks ${database.missing.join(", ")}.`);
  }
  if (database.read_only) throw postgresError("read_only", "PostgreSQL is read-only.");
}
