import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { MigrateError } from "./migrate-error.ts";
import type { SchemaKind } from "./migration.ts";
import { migrationName, readMigrations } from "./read-migrations.ts";

const templates: Readonly<Record<SchemaKind, string>> = {
  cql: `-- What the table is for.
--
-- Serves: the query it serves            WHERE … = ?
CREATE TABLE IF NOT EXISTS NAME (
  id uuid PRIMARY KEY
);

-- verify
SELECT id FROM NAME LIMIT 1;
`,
  sql: `-- What the table is for.
--
-- NAME  the queries it serves
CREATE TABLE NAME (
  id uuid PRIMARY KEY
);

-- verify
SELECT to_regclass('NAME') IS NOT NULL;
`,
};

/** Writes the next file of a sequence, with a table to begin from, and answers its path. Throws MigrateError. */
export async function createMigration(directory: string, kind: SchemaKind, name: string): Promise<string> {
  const version = (await readMigrations(directory, kind)).length + 1;
  const fullName = `${String(version).padStart(4, "0")}_${name}`;
  if (!migrationName.test(fullName)) {
    const fix = "Lower-case letters, digits and _: msgr migrate create sql invitations";
    throw new MigrateError("usage", `${name} is not a name for a migration.`, fix);
  }
  const file = path.join(directory, kind, `${fullName}.${kind}`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, templates[kind].replaceAll("NAME", name), { flag: "wx" });
  return file;
}
