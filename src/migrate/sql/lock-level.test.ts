import { beforeAll, describe, expect, it } from "vitest";
import { destroysSql, lockLevelOf } from "./lock-level.ts";
import { tablesCreated } from "./object-to-sql.ts";
import { loadSqlParser, parseSql } from "./scan.ts";

beforeAll(loadSqlParser);

describe("the lock of a statement", () => {
  it.each([
    ["CREATE TABLE t (a int);", "NONE"],
    ["CREATE TABLE t (a int REFERENCES old);", "SHARE ROW EXCLUSIVE"],
    ["CREATE TABLE b (a int); CREATE TABLE t (a int REFERENCES b);", "NONE"],
    ["CREATE TABLE t (a int); CREATE INDEX i ON t (a);", "NONE"],
    ["CREATE INDEX i ON old (a);", "SHARE"],
    ["CREATE INDEX CONCURRENTLY i ON old (a);", "SHARE UPDATE EXCLUSIVE"],
    ["ALTER TABLE old ADD COLUMN x int;", "ACCESS EXCLUSIVE"],
    ["ALTER TABLE old ADD FOREIGN KEY (a) REFERENCES b NOT VALID;", "SHARE ROW EXCLUSIVE"],
    ["ALTER TABLE old VALIDATE CONSTRAINT c;", "SHARE UPDATE EXCLUSIVE"],
    ["ALTER TABLE old VALIDATE CONSTRAINT c, ADD COLUMN x int;", "ACCESS EXCLUSIVE"],
    ["ALTER TABLE old ALTER COLUMN a SET STATISTICS 500;", "SHARE UPDATE EXCLUSIVE"],
    ["ALTER TABLE old RENAME TO new;", "ACCESS EXCLUSIVE"],
    ["DROP TABLE old;", "ACCESS EXCLUSIVE"],
    ["DROP INDEX CONCURRENTLY i;", "SHARE UPDATE EXCLUSIVE"],
    ["TRUNCATE old;", "ACCESS EXCLUSIVE"],
    ["UPDATE old SET a = 1;", "ROW EXCLUSIVE"],
    ["CREATE TRIGGER g AFTER INSERT ON old EXECUTE FUNCTION f();", "SHARE ROW EXCLUSIVE"],
    ["REFRESH MATERIALIZED VIEW CONCURRENTLY v;", "EXCLUSIVE"],
    ["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "NONE"],
  ])("of %s is %s", (text, level) => {
    const { nodes } = parseSql(text);
    const last = nodes.at(-1);
    expect(last === undefined ? undefined : lockLevelOf(last, tablesCreated(nodes))).toBe(level);
  });
});

describe("a statement destroys", () => {
  it.each([
    ["DROP TABLE old;", true],
    ["DROP SCHEMA s CASCADE;", true],
    ["ALTER TABLE old DROP COLUMN a;", true],
    ["TRUNCATE old;", true],
    ["DELETE FROM old;", true],
    ["DROP INDEX i;", false],
    ["DROP VIEW v;", false],
    ["ALTER TABLE old DROP CONSTRAINT c;", false],
    ["CREATE TABLE t (a int);", false],
  ])("%s: %s", (text, destroys) => {
    expect(parseSql(text).nodes.map(destroysSql)).toEqual([destroys]);
  });
});
