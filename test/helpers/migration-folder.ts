import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { SchemaKind } from "../../src/migrate/migration.ts";

/** Migration files of a test: names → texts. */
export interface MigrationFolder extends Disposable {
  readonly path: string;
  write(kind: SchemaKind, files: Readonly<Record<string, string>>): void;
}

export function migrationFolder(): MigrationFolder {
  const folder = mkdtempSync(path.join(tmpdir(), "msgr-migrations-"));
  return {
    path: folder,
    write(kind, files) {
      mkdirSync(path.join(folder, kind), { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, kind, `${name}.${kind}`), text);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
