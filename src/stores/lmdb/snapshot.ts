import type { Database, RootDatabase } from "lmdb";
import { present } from "../../base/assert.ts";
import type { Key } from "./keys.ts";
import { databaseNames, type DatabaseName, type Table } from "./tables.ts";

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

/** A database as the driver gives it, without any encoding of its own. */
export type RawDatabase = Database<Buffer, Key>;
export type RawRoot = RootDatabase<Buffer, Key>;

/** What is committed, and with it durable. Never shows a part of a commit. */
export class Snapshot implements Reader {
  readonly #databases: ReadonlyMap<DatabaseName, RawDatabase>;

  private constructor(databases: ReadonlyMap<DatabaseName, RawDatabase>) {
    this.#databases = databases;
  }

  /** Opens every named database, making those that are missing. Writes synchronously: only before the first commit. */
  static open(root: RawRoot): Snapshot {
    const databases = new Map<DatabaseName, RawDatabase>();
    for (const name of databaseNames) {
      databases.set(name, root.openDB<Buffer, Key>(name, { encoding: "binary", keyEncoding: "binary" }));
    }
    return new Snapshot(databases);
  }

  database(name: DatabaseName): RawDatabase {
    return present(this.#databases.get(name), `database ${name}`);
  }

  get<Value>(table: Table<Value>, key: Key): Value | undefined {
    const bytes = this.database(table.name).getBinaryFast(key);
    // The driver reuses one large buffer and only overrides its `length`; the view has the true one.
    return bytes === undefined ? undefined : table.decode(bytes.subarray(0, bytes.length));
  }

  range<Value>(table: Table<Value>, range: KeyRange): readonly Entry<Value>[] {
    const entries: Entry<Value>[] = [];
    const options = { start: range.start, end: range.end, limit: range.entriesMax };
    for (const { key, value } of this.database(table.name).getRange(options)) {
      entries.push({ key, value: table.decode(value) });
    }
    return entries;
  }
}
