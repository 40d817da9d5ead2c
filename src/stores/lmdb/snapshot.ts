import { present } from "../../base/assert.ts";
import { keyText, type Key } from "./keys.ts";
import { rawOptions, type RawDatabase, type RawRoot } from "./raw-database.ts";
import { RecentRows } from "./recent-rows.ts";
import { databaseNames, recentRowsMax, type DatabaseName, type Table } from "./tables.ts";

export interface Entry<Value> {
  readonly key: Key;
  readonly value: Value;
}

/** Keys from `start` (inclusive) to `end` (exclusive), ascending, at most `entriesMax` (≥ 1) of them. */
export interface KeyRange {
  readonly start: Key;
  readonly end: Key;
  readonly entriesMax: number;
}

/** Synchronous reads: the file is mapped into memory, so that a read costs microseconds and no await. */
export interface Reader {
  get<Value>(table: Table<Value>, key: Key): Value | undefined;
  range<Value>(table: Table<Value>, range: KeyRange): readonly Entry<Value>[];
}

interface OpenDatabase {
  readonly raw: RawDatabase;
  readonly recent: RecentRows | undefined;
}

/** Rows that a commit leaves different, by the text of their keys; undefined = removed. */
export type ChangedRows = ReadonlyMap<DatabaseName, ReadonlyMap<string, { readonly value: unknown }>>;

/**
 * What is committed, and with it durable. Rows of tables that are read and written for every message stay decoded while
 * they are in use.
 *
 * A commit becomes visible in the file a little before it is announced here. From its hand-over to its announcement the
 * rows it changes are therefore read from the file alone: whatever is read shows one and the same moment, and none of
 * it goes back. A list that names a row of the log is a promise that the log has it.
 */
export class Snapshot implements Reader {
  readonly #databases: ReadonlyMap<DatabaseName, OpenDatabase>;
  #inFlight: ChangedRows = new Map();

  private constructor(databases: ReadonlyMap<DatabaseName, OpenDatabase>) {
    this.#databases = databases;
  }

  /** Opens every named database, making those that are missing. Writes synchronously: only before the first commit. */
  static open(root: RawRoot): Snapshot {
    const databases = new Map<DatabaseName, OpenDatabase>();
    // In one transaction: alone, each that is missing would wait for a flush of its own.
    root.transactionSync(() => {
      for (const name of databaseNames) {
        const rowsMax = recentRowsMax[name];
        const recent = rowsMax === undefined ? undefined : new RecentRows(rowsMax);
        databases.set(name, { raw: root.openDB<Buffer, Key>(name, rawOptions), recent });
      }
    });
    return new Snapshot(databases);
  }

  database(name: DatabaseName): RawDatabase {
    return this.#database(name).raw;
  }

  get<Value>(table: Table<Value>, key: Key): Value | undefined {
    return this.find(table, key, undefined);
  }

  /** `get` for those who have the key's text (keyText) already. */
  find<Value>(table: Table<Value>, key: Key, keyTextKnown: string | undefined): Value | undefined {
    const { raw, recent } = this.#database(table.name);
    if (recent === undefined) return readRow(table, raw, key);
    const text = keyTextKnown ?? keyText(key);
    if (this.#inFlight.get(table.name)?.has(text) === true) return readRow(table, raw, key);
    const known = recent.get(text) as Value | undefined;
    if (known !== undefined) return known;
    const value = readRow(table, raw, key);
    if (value !== undefined) recent.set(text, value);
    return value;
  }

  range<Value>(table: Table<Value>, range: KeyRange): readonly Entry<Value>[] {
    const entries: Entry<Value>[] = [];
    const options = { start: range.start, end: range.end, limit: range.entriesMax };
    for (const { key, value } of this.database(table.name).getRange(options)) {
      entries.push({ key, value: table.decode(exactly(value), key) });
    }
    return entries;
  }

  /** A commit with these rows is handed over: until it is announced, nobody knows from here what they are. */
  handOver(changed: ChangedRows): void {
    this.#inFlight = changed;
  }

  /** The commit that was handed over has ended; `succeeded` = its rows are what is committed now. */
  announce(succeeded: boolean): void {
    const changed = this.#inFlight;
    this.#inFlight = new Map();
    if (!succeeded) return;
    for (const [name, rows] of changed) {
      const { recent } = this.#database(name);
      for (const [text, { value }] of recent === undefined ? [] : rows) {
        if (value === undefined) recent?.delete(text);
        else recent?.set(text, value);
      }
    }
  }

  #database(name: DatabaseName): OpenDatabase {
    return present(this.#databases.get(name), `database ${name}`);
  }
}

function readRow<Value>(table: Table<Value>, raw: RawDatabase, key: Key): Value | undefined {
  const bytes = raw.getBinaryFast(key);
  return bytes === undefined ? undefined : table.decode(exactly(bytes), key);
}

/** The driver reuses one large buffer and only overrides its `length`; the view has the true one. */
function exactly(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length);
}
