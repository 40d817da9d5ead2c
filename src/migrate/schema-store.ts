import type { JournalEntry, Migration, SchemaKind, Statement } from "./migration.ts";

/** Who has the lock of a store. */
export interface LockHolder {
  /** What `unlock --confirm` has to repeat. */
  readonly id: string;
  /** `user@host/pid` of a runner of ours, else what the session calls itself. */
  readonly name: string;
  readonly since: Date | undefined;
}

/** The right to change a schema, held until released or lost. */
export interface SchemaLock {
  /** Aborted when the lock is lost; `reason` is the error to stop with. */
  readonly lost: AbortSignal;
  /** Twice does no harm; never throws: a lock that cannot be given back ends by itself. */
  release(): Promise<void>;
}

export interface Observer {
  /** Called once for each holder that is waited for. */
  waiting(kind: SchemaKind, holder: LockHolder | undefined): void;
  /** `index` of `migration.statements`, before it runs. */
  statement(migration: Migration, index: number): void;
  applied(migration: Migration, tookMs: number): void;
}

export const silentObserver: Observer = { waiting() {}, statement() {}, applied() {} };

export interface AcquireOptions {
  /** How long to wait for another holder; 0 = not at all. */
  readonly timeoutMs: number;
  readonly observer: Observer;
  readonly interrupted: AbortSignal;
}

export interface ApplyOptions {
  readonly lock: SchemaLock;
  readonly observer: Observer;
  /** Work stops before the next statement. */
  readonly interrupted: AbortSignal;
}

/** A verify statement that does not hold, and what was answered instead. */
export interface Broken {
  readonly statement: Statement;
  readonly why: string;
}

/**
 * A keyspace or a database as the runner sees it. Everything that reads works before anything was ever migrated, also when
 * the keyspace or database does not exist, and changes nothing. Throws StoreError and MigrateError.
 */
export interface SchemaStore {
  readonly kind: SchemaKind;
  /** `keyspace msgr on 127.0.0.1:9042`. */
  readonly place: string;
  readJournal(): Promise<readonly JournalEntry[]>;
  readHolder(): Promise<LockHolder | undefined>;
  /** Makes the keyspace or database and the journal, where missing. */
  prepare(): Promise<void>;
  /** After `prepare`. Throws MigrateError locked. */
  acquire(options: AcquireOptions): Promise<SchemaLock>;
  /**
   * Runs what is left of a migration and its verify part. `begun` is its journal entry if a run before began it. Whatever
   * stops it (SIGKILL too), calling it again completes it.
   */
  apply(migration: Migration, begun: JournalEntry | undefined, options: ApplyOptions): Promise<void>;
  /** Which verify statements do not hold now. */
  verify(migration: Migration): Promise<readonly Broken[]>;
  /** Takes the file as it is now for what was applied. */
  adopt(migration: Migration, lock: SchemaLock): Promise<void>;
  /** False when `id` does not hold the lock any more. */
  breakLock(id: string): Promise<boolean>;
  /** Every object of the schema but the runner's own: `table messages` → its definition, names of places left out. */
  describeSchema(): Promise<ReadonlyMap<string, string>>;
  /** Names of all keyspaces or databases of the store, this one too. */
  namesBeside(): Promise<readonly string[]>;
  /** Removes the keyspace or database with everything in it. */
  drop(): Promise<void>;
  close(): Promise<void>;
}
