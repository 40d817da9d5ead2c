import { destroysCql } from "./cql/object-to-cql.ts";
import { isDue } from "./migrate-up.ts";
import type { MigrationStatus } from "./compare.ts";
import type { SchemaKind, Statement } from "./migration.ts";
import { describePlace } from "./scanned.ts";
import { destroysSql, lockLevelOf, type LockLevel } from "./sql/lock-level.ts";
import { tablesCreated } from "./sql/object-to-sql.ts";
import { parseSql } from "./sql/scan.ts";

/** A statement that `up` would run. */
export interface PlannedStatement {
  readonly kind: SchemaKind;
  /** file:line:column. */
  readonly place: string;
  readonly text: string;
  /** On tables that others may use; Cassandra knows no locks. */
  readonly lock: LockLevel | undefined;
  /** Whether data is lost by it. */
  readonly destroys: boolean;
}

/** What `up` would run, in order. SQL needs `loadSqlParser` first. */
export function planStatements(statuses: readonly MigrationStatus[], to: number): readonly PlannedStatement[] {
  return statuses.filter((status) => isDue(status, to)).flatMap(planMigration);
}

function planMigration({ kind, migration, entry }: MigrationStatus): readonly PlannedStatement[] {
  if (migration === undefined) return [];
  const { file, statements } = migration;
  const left = statements.slice(entry?.statementsDone.length ?? 0);
  const nodesOf = ({ text }: Statement) => parseSql(`${text};`).nodes;
  const newTables = kind === "sql" ? tablesCreated(statements.flatMap(nodesOf)) : new Set<string>();
  return left.map((statement): PlannedStatement => {
    const { text, place } = statement;
    const common = { kind, place: describePlace(file, place), text };
    const [node] = kind === "sql" ? nodesOf(statement) : [];
    return node === undefined
      ? { ...common, lock: undefined, destroys: destroysCql(text) }
      : { ...common, lock: lockLevelOf(node, newTables), destroys: destroysSql(node) };
  });
}
