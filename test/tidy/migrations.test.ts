import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { lintMigration } from "../../src/migrate/lint/lint-migration.ts";
import { schemaKinds } from "../../src/migrate/migration.ts";
import { packageMigrations, readMigrations } from "../../src/migrate/read-migrations.ts";
import { readRepositoryFile } from "./repository.ts";

describe.each(schemaKinds)("%s/", (kind) => {
  it("holds migrations 0001, 0002, … without a gap, and nothing else", async () => {
    const migrations = await readMigrations(packageMigrations, kind);
    expect(migrations.length).toBeGreaterThan(0);
    expect(migrations.map(({ file }) => file)).toEqual(
      readdirSync(new URL(`../../${kind}`, import.meta.url))
        .toSorted()
        .map((name) => `${kind}/${name}`),
    );
  });

  it("has nothing in it that `msgr migrate lint` objects to", async () => {
    const migrations = await readMigrations(packageMigrations, kind);
    expect(migrations.flatMap(lintMigration)).toEqual([]);
  });

  it("is part of the published package", () => {
    const { files } = JSON.parse(readRepositoryFile("package.json").text) as { files: string[] };
    expect(files).toContain(kind);
  });
});
