import { WireError } from "../../protocol/wire-errors.ts";
import { keyText, type Key } from "./keys.ts";
import type { ChangedRows, Entry, KeyRange, Reader, Snapshot } from "./snapshot.ts";
import type { DatabaseName, Table } from "./tables.ts";

/**
 * What one operation may do. Reads see what is committed with everything on top that operations of the same commit
 * wrote before. Values are shared: nobody changes one that was given or got.
 */
export interface Transaction extends Reader {
  put<Value>(table: Table<Value>, key: Key, value: Value): void;
  /** `put` of a key that is not there and that nothing reads before it is committed: spares the view in memory. */
  insert<Value>(table: Table<Value>, key: Key, value: Value): void;
  /** Removing what is not there does nothing. */
  remove<Value>(table: Table<Value>, key: Key): void;
}

/** One write as the driver takes it; `bytes` undefined = removed. */
export interface EncodedWrite {
  readonly database: DatabaseName;
  readonly key: Key;
  readonly bytes: Uint8Array | undefined;
}

/** A row as the commit leaves it; not present = removed. */
interface Cell {
  readonly key: Key;
  readonly present: boolean;
  readonly value: unknown;
}

/** The cells of one table, by the text of their keys. */
interface TableCells {
  readonly database: DatabaseName;
  readonly cells: Map<string, Cell>;
  readonly encode: (value: unknown) => Uint8Array;
}

interface Undo {
  readonly cells: Map<string, Cell>;
  readonly text: string;
  readonly before: Cell | undefined;
}

type AnyTable = Pick<Table<never>, "name">;

/**
 * The view in memory of a commit that is being gathered: what its operations wrote so far, over what is committed. It
 * lives from the end of one commit to the hand-over of the next; since no commit is in flight meanwhile, what is
 * committed is the whole truth, and a check against this view holds when it is written. A row written by several
 * operations is encoded and stored once.
 */
export class Batch implements Transaction {
  readonly #snapshot: Snapshot;
  readonly #growthBytesMax: number;
  readonly #cells = new Map<AnyTable, TableCells>();
  readonly #inserts: EncodedWrite[] = [];
  #growthBytes = 0;
  #undo: Undo[] = [];
  #lastKey: Key | undefined;
  #lastText = "";

  /** `growthBytesMax`: how much the data may grow by this commit. */
  constructor(snapshot: Snapshot, growthBytesMax: number) {
    this.#snapshot = snapshot;
    this.#growthBytesMax = growthBytesMax;
  }

  /** Runs one operation; if it throws, none of its writes stay. */
  run<Result>(operation: (transaction: Transaction) => Result): Result {
    const insertsBefore = this.#inserts.length;
    const growthBefore = this.#growthBytes;
    this.#undo = [];
    try {
      const result = operation(this);
      const wrote = this.#undo.length > 0 || this.#inserts.length > insertsBefore;
      const needsRoom =
        this.#growthBytes > growthBefore || (wrote && this.#growthBytesMax === Number.NEGATIVE_INFINITY);
      if (needsRoom && this.#growthBytes > this.#growthBytesMax) throw new WireError("storage_full");
      return result;
    } catch (error) {
      this.#rollBack();
      this.#inserts.length = insertsBefore;
      this.#growthBytes = growthBefore;
      throw error;
    }
  }

  get<Value>(table: Table<Value>, key: Key): Value | undefined {
    const text = this.#textOf(key);
    const cell = this.#cells.get(table)?.cells.get(text);
    return cell === undefined ? this.#snapshot.find(table, key, text) : (cell.value as Value | undefined);
  }

  range<Value>(table: Table<Value>, range: KeyRange): readonly Entry<Value>[] {
    const cells = [...(this.#cells.get(table)?.cells.values() ?? [])].filter(({ key }) => isWithin(key, range));
    if (cells.length === 0) return this.#snapshot.range(table, range);
    // Every cell may hide one stored row.
    const stored = this.#snapshot.range(table, { ...range, entriesMax: range.entriesMax + cells.length });
    const merged = new Map<string, Entry<Value>>();
    for (const entry of stored) merged.set(keyText(entry.key), entry);
    for (const { key, present, value } of cells) {
      if (present) merged.set(keyText(key), { key, value: value as Value });
      else merged.delete(keyText(key));
    }
    const ordered = [...merged.values()].toSorted((one, other) => Buffer.compare(one.key, other.key));
    return ordered.slice(0, range.entriesMax);
  }

  put<Value>(table: Table<Value>, key: Key, value: Value): void {
    this.#set(table, { key, present: true, value });
  }

  insert<Value>(table: Table<Value>, key: Key, value: Value): void {
    const bytes = table.encode(value);
    this.#inserts.push({ database: table.name, key, bytes });
    this.#growthBytes += storedBytes(key, bytes);
  }

  remove<Value>(table: Table<Value>, key: Key): void {
    this.#set(table, { key, present: false, value: undefined });
  }

  /** Everything that was written, each key once. */
  encoded(): readonly EncodedWrite[] {
    const writes = [...this.#inserts];
    for (const { database, cells, encode } of this.#cells.values()) {
      for (const { key, present, value } of cells.values()) {
        writes.push({ database, key, bytes: present ? encode(value) : undefined });
      }
    }
    return writes;
  }

  changed(): ChangedRows {
    return new Map([...this.#cells.values()].map(({ database, cells }) => [database, cells]));
  }

  #set<Value>(table: Table<Value>, cell: Cell): void {
    let row = this.#cells.get(table);
    if (row === undefined) {
      row = { database: table.name, cells: new Map(), encode: (value) => table.encode(value as Value) };
      this.#cells.set(table, row);
    }
    const text = this.#textOf(cell.key);
    if (cell.present && !row.cells.has(text)) this.#growthBytes += this.#growthOf(table, cell);
    this.#undo.push({ cells: row.cells, text, before: row.cells.get(text) });
    row.cells.set(text, cell);
  }

  /** An estimate that is cheap while there is room and exact enough when there is not: registers then cost nothing. */
  #growthOf<Value>(table: Table<Value>, { key, value }: Cell): number {
    if (this.#growthBytesMax > nearBytes) return rowBytesTypical;
    if (this.#snapshot.get(table, key) !== undefined) return 0;
    return storedBytes(key, table.encode(value as Value));
  }

  /** Nearly every row is written right after it was read, by the same key. */
  #textOf(key: Key): string {
    if (key !== this.#lastKey) {
      this.#lastKey = key;
      this.#lastText = keyText(key);
    }
    return this.#lastText;
  }

  #rollBack(): void {
    for (const { cells, text, before } of this.#undo.toReversed()) {
      if (before === undefined) cells.delete(text);
      else cells.set(text, before);
    }
  }
}

const pageBytes = 4_096;
const rowBytesTypical = 512;
/** With less room than this, rows are counted one by one. */
const nearBytes = 16 * 1024 * 1024;

/** Large values get pages of their own; the others share pages that are two thirds full. */
function storedBytes(key: Key, bytes: Uint8Array): number {
  const exact = key.length + bytes.length + 16;
  return exact > pageBytes / 2 ? Math.ceil(exact / pageBytes) * pageBytes : Math.ceil(exact * 1.5);
}

function isWithin(key: Key, range: KeyRange): boolean {
  return Buffer.compare(key, range.start) >= 0 && Buffer.compare(key, range.end) < 0;
}
