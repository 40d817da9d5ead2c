import type { Statement } from "./statement.ts";

export interface Answer<Row> {
  readonly rows: readonly Row[];
  /** Rows that the statement's last part wrote or answered. */
  readonly count: number;
}

/**
 * What runs statements. Errors: WireError `store_unavailable` or `storage_full` with a StoreError as cause; anything else
 * is a mistake in the statement or its values.
 */
export interface Queries {
  query<Row = never>(statement: Statement, values: readonly unknown[]): Promise<Answer<Row>>;
}

export interface Transaction extends Queries {
  /** What was written is undone when the work ends; what it answers is still answered. */
  abandon(): void;
}

/** The connected database, as the adapters share it. */
export interface Postgres extends Queries {
  /**
   * Runs `work` between BEGIN and COMMIT (read committed: each statement sees what was committed before it began). It
   * runs again, up to a bound, when the database undid it because of another transaction; so it has no other effects. A
   * failure at COMMIT leaves unknown whether it was committed.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  /** Whether the last that was heard of the database is that it does not answer. Asks it now and then. */
  lost(): boolean;
  /** Callers that have a connection or wait for one. */
  load(): number;
  /** Waits for what is under way, then closes every connection. Once. */
  close(): Promise<void>;
}
