import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { MigrateError } from "./migrate-error.ts";
import type { Migration, SchemaKind } from "./migration.ts";
import { parseMigration } from "./parse-migration.ts";
import { loadSqlParser } from "./sql/scan.ts";

/** Where the migrations of this version are: beside src in the repository, beside dist in the package. */
export const packageMigrations = fileURLToPath(new URL("../../", import.meta.url));

export const migrationName = /^(\d{4})_[a-z0-9][a-z0-9_]*$/;

/**
 * Every migration of one kind below `directory`, in order; none when there is no such folder. Throws MigrateError bad_file:
 * a name that does not fit, a number that is missing or there twice, a file that cannot be understood.
 */
export async function readMigrations(directory: string, kind: SchemaKind): Promise<readonly Migration[]> {
  const names = migrationFiles(path.join(directory, kind), kind);
  if (kind === "sql" && names.length > 0) await loadSqlParser();
  return names.map((name, index) => {
    const file = `${kind}/${name}.${kind}`;
    const version = Number(migrationName.exec(name)?.[1]);
    if (version !== index + 1) throw notInSequence(file, version, index + 1);
    const text = readFileSync(path.join(directory, kind, `${name}.${kind}`), "utf8");
    return parseMigration({ kind, version, name, file, text });
  });
}

function migrationFiles(folder: string, kind: SchemaKind): readonly string[] {
  return listFolder(folder)
    .filter((file) => !file.startsWith("."))
    .map((file) => {
      const name = path.basename(file, `.${kind}`);
      if (file === `${name}.${kind}` && migrationName.test(name)) return name;
      const fix = `Call it NNNN_name.${kind} (digits, then lower-case letters, digits and _), or move it away.`;
      throw new MigrateError("bad_file", `${kind}/${file} is not the name of a migration.`, fix);
    })
    .toSorted();
}

function listFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function notInSequence(file: string, version: number, expected: number): MigrateError {
  const wanted = String(expected).padStart(4, "0");
  const what =
    version < expected ? `a second migration has number ${version}` : `number ${wanted} is missing before it`;
  return new MigrateError("bad_file", `${file}: ${what}.`, "Number migrations 0001, 0002, … without gaps.");
}
