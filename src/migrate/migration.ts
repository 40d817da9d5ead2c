/** The two kinds of schema, called as their folders are. */
export const schemaKinds = ["cql", "sql"] as const;
export type SchemaKind = (typeof schemaKinds)[number];

/** A place in a file, as editors count: both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Statement {
  /** Without its semicolon and what stands around it. */
  readonly text: string;
  readonly place: Place;
  /** SHA-256 of `text`, hexadecimal. */
  readonly checksum: string;
  /** Lint rules that a `-- msgr: allow` above the statement excuses. */
  readonly allowed: readonly string[];
}

export interface Directives {
  /** PostgreSQL only: every statement for itself, as CREATE INDEX CONCURRENTLY wants it. */
  readonly noTransaction: boolean;
  /** Bound on one statement, ms. */
  readonly timeoutMs: number;
  readonly allowDestructive: boolean;
  /** Lint rules that the whole file is excused from. */
  readonly allowed: readonly string[];
}

/** A migration file, read and understood. */
export interface Migration {
  readonly kind: SchemaKind;
  /** 1, 2, 3, …: without gaps. */
  readonly version: number;
  /** `0001_messages`. */
  readonly name: string;
  /** `cql/0001_messages.cql`, for people. */
  readonly file: string;
  /** Normalised: what the checksum is made of. */
  readonly text: string;
  readonly checksum: string;
  readonly directives: Directives;
  readonly statements: readonly Statement[];
  /** What has to hold once the statements are done. */
  readonly verify: readonly Statement[];
}

/** What a store's journal says about a migration. */
export interface JournalEntry {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  /** The normalised text as it was applied. */
  readonly text: string;
  readonly runner: string;
  readonly startedAt: Date;
  /** undefined = it was begun and not finished. */
  readonly finishedAt: Date | undefined;
  /** Of the statements that are known to be done, in the order of the file; empty once finished. */
  readonly statementsDone: readonly string[];
  readonly repairedAt: Date | undefined;
  readonly repairedBy: string | undefined;
}
