import { describe, expect, it } from "vitest";
import { compareWithJournal, refuseForeign } from "./compare.ts";
import type { JournalEntry, Migration } from "./migration.ts";
import { parseMigration } from "./parse-migration.ts";

const file = (version: number, text: string): Migration => {
  const name = `000${version}_m`;
  return parseMigration({ kind: "cql", version, name, file: `cql/${name}.cql`, text });
};
const entry = (migration: Migration, done?: number): JournalEntry => ({
  ...migration,
  runner: "ann@host/7",
  startedAt: new Date(0),
  finishedAt: done === undefined ? new Date(1_000) : undefined,
  statementsDone: migration.statements.slice(0, done ?? 0).map(({ checksum }) => checksum),
  repairedAt: undefined,
  repairedBy: undefined,
});
const states = (migrations: readonly Migration[], journal: readonly JournalEntry[]) =>
  compareWithJournal("cql", migrations, journal).map(({ state }) => state);

const one = file(1, "SELECT 1; SELECT 2;");
const two = file(2, "SELECT 3;");

describe("compareWithJournal", () => {
  it("tells applied from pending", () => {
    expect(states([one, two], [])).toEqual(["pending", "pending"]);
    expect(states([one, two], [entry(one)])).toEqual(["applied", "pending"]);
    expect(states([one, two], [entry(one), entry(two)])).toEqual(["applied", "applied"]);
  });

  it("lets what was begun be corrected from its first open statement on, and no earlier", () => {
    expect(states([one], [entry(one, 1)])).toEqual(["partial"]);
    expect(states([file(1, "SELECT 1; SELECT 5;")], [entry(one, 1)])).toEqual(["partial"]);
    expect(states([file(1, "SELECT 5; SELECT 2;")], [entry(one, 1)])).toEqual(["changed"]);
    expect(states([file(1, "SELECT 5; SELECT 2;")], [entry(one, 0)])).toEqual(["partial"]);
  });

  it("names what is only in the store newer, and what was jumped over skipped", () => {
    expect(states([one], [entry(one), entry(two)])).toEqual(["applied", "newer"]);
    expect(states([one, two], [entry(two)])).toEqual(["skipped", "applied"]);
  });
});

describe("refuseForeign", () => {
  const refuse = (migrations: readonly Migration[], journal: readonly JournalEntry[]) => () =>
    refuseForeign(compareWithJournal("cql", migrations, journal));

  it("names the file, when, by whom, and the difference", () => {
    const edited = file(1, "SELECT 1;\nSELECT 9;");
    expect(refuse([edited], [entry(one)])).toThrow(
      "cql/0001_m.cql is not what was applied (1970-01-01T00:00:01.000Z by ann@host/7):\n@@ line 1\n- SELECT 1; SELECT 2;\n+ SELECT 1;\n+ SELECT 9;",
    );
  });

  it("refuses a newer schema before anything else", () => {
    expect(refuse([file(1, "SELECT 7;")], [entry(one), entry(two)])).toThrow(
      /newer than this version: cql\/0002_m.cql/,
    );
  });

  it("lets go on what is applied, begun or pending", () => {
    expect(refuse([one, two], [entry(one, 1)])).not.toThrow();
  });
});
