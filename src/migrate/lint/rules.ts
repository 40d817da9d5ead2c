import type { Place, SchemaKind } from "../migration.ts";

export interface LintRule {
  readonly kinds: readonly SchemaKind[];
  /** A warning is printed and stops nothing. */
  readonly severity: "error" | "warning";
  /** Loses data or breaks a server that still runs: `-- msgr: allow-destructive` excuses it. */
  readonly destructive: boolean;
  readonly why: string;
  readonly instead: string;
}

const both: readonly SchemaKind[] = ["cql", "sql"];
const cql: readonly SchemaKind[] = ["cql"];
const sql: readonly SchemaKind[] = ["sql"];
const error = { severity: "error", destructive: false } as const;
const destructive = { severity: "error", destructive: true } as const;
const warning = { severity: "warning", destructive: false } as const;

/** What a migration should not do without saying so. `-- msgr: allow RULE` excuses it. */
export const lintRules = {
  "no-header": {
    ...error,
    kinds: both,
    why: "a table without a word about the queries it serves",
    instead: "Open the file with a comment that names them.",
  },
  "unknown-rule": {
    ...error,
    kinds: both,
    why: "an allowance for a rule that does not exist",
    instead: "`msgr migrate lint --help` names the rules.",
  },
  drop: {
    ...destructive,
    kinds: both,
    why: "it is gone for good, and servers that still run use it",
    instead: "Stop using it in one release, drop it in a later one.",
  },
  truncate: {
    ...destructive,
    kinds: both,
    why: "every row is gone for good",
    instead: "Delete what has to go by its key, outside of a migration.",
  },
  rename: {
    ...destructive,
    kinds: both,
    why: "servers that still run ask for the old name",
    instead: "Add the new one, fill it, move over, drop the old one in a later release.",
  },
  "missing-if-not-exists": {
    ...error,
    kinds: both,
    why: "a statement that may run again after a kill has to be content with what is there",
    instead: "Say IF NOT EXISTS (or IF EXISTS).",
  },
  "index-not-concurrent": {
    ...error,
    kinds: sql,
    why: "writes to the table wait until the index is built",
    instead: "CREATE INDEX CONCURRENTLY IF NOT EXISTS, in a file of its own with `-- msgr: no-transaction`.",
  },
  "concurrently-in-transaction": {
    ...error,
    kinds: sql,
    why: "PostgreSQL refuses CONCURRENTLY inside a transaction",
    instead: "Put `-- msgr: no-transaction` at the head of the file.",
  },
  "transaction-control": {
    ...error,
    kinds: sql,
    why: "the runner opens and ends the transaction of a file",
    instead: "Leave it out, or put `-- msgr: no-transaction` at the head of the file.",
  },
  "constraint-validated": {
    ...error,
    kinds: sql,
    why: "the table is locked while every row is checked",
    instead: "Add it NOT VALID; VALIDATE CONSTRAINT in the next migration.",
  },
  "constraint-builds-index": {
    ...error,
    kinds: sql,
    why: "the table is locked while the index is built",
    instead: "Build a unique index CONCURRENTLY first, then ADD CONSTRAINT … USING INDEX.",
  },
  "set-not-null": {
    ...error,
    kinds: sql,
    why: "the table is locked while every row is checked",
    instead: "ADD CONSTRAINT … NOT NULL … NOT VALID (PostgreSQL 18), VALIDATE it in the next migration.",
  },
  "not-null-without-default": {
    ...error,
    kinds: sql,
    why: "it fails as soon as the table has a row",
    instead: "Give it a constant DEFAULT.",
  },
  rewrite: {
    ...error,
    kinds: sql,
    why: "the whole table is written anew under a lock that lets nobody read",
    instead: "Add a column, fill it in batches, move over.",
  },
  "secondary-index": {
    ...error,
    kinds: cql,
    why: "a query through it asks every node",
    instead: "Make a table whose key is the query.",
  },
  "materialized-view": {
    ...error,
    kinds: cql,
    why: "views drift from their tables, and nothing repairs them",
    instead: "Make a table and write to both.",
  },
  "allow-filtering": {
    ...error,
    kinds: cql,
    why: "it reads everything to answer a little",
    instead: "Make a table whose key is the query.",
  },
  "simple-strategy": {
    ...error,
    kinds: cql,
    why: "SimpleStrategy knows no data centres",
    instead: "Leave the keyspace to the runner: NetworkTopologyStrategy from the configuration.",
  },
  "keyspace-statement": {
    ...error,
    kinds: cql,
    why: "the keyspace comes from the configuration",
    instead: "Leave it out, and the keyspace's name before tables too.",
  },
  "not-repeatable": {
    ...error,
    kinds: cql,
    why: "run twice, after a kill, it counts or appends twice",
    instead: "Write values, not differences.",
  },
  "unbounded-partition": {
    ...warning,
    kinds: cql,
    why: "one column is the whole partition key and rows pile up in it by time or number",
    instead: "Add a bucket to the partition key, or say what bounds it: -- msgr: allow unbounded-partition (why).",
  },
  collection: {
    ...warning,
    kinds: cql,
    why: "a collection is read whole, and writing it whole leaves tombstones",
    instead: "Make its entries rows, or freeze it.",
  },
} as const satisfies Record<string, LintRule>;

export type LintRuleName = keyof typeof lintRules;

/** What a look at one statement says, before it is known what is excused. */
export interface Objection {
  readonly rule: LintRuleName;
  /** The thing that is meant: a table, a column, a word. */
  readonly subject: string;
}

export interface LintFinding {
  readonly rule: LintRuleName;
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly place: Place;
  readonly message: string;
  readonly fix: string;
}
