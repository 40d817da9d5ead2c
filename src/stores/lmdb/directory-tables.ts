import { assert } from "../../base/assert.ts";
import { formatUuid, parseUuid, type Uuid } from "../../protocol/ids.ts";
import { prefixEnd, type Key } from "./keys.ts";
import type { KeyRange } from "./snapshot.ts";
import type { DatabaseName, Table } from "./tables.ts";

/** What the tables of users, relations, groups and sessions need beyond packed rows: small values, longer keys, prefixes. */

/** A table whose values are ids. */
export function idTable(name: DatabaseName): Table<Uuid> {
  return { name, encode: (id) => parseUuid(id), decode: (bytes) => formatUuid(bytes) };
}

const flag = Uint8Array.of(1);

/** A table whose keys say everything. */
export function flagTable(name: DatabaseName): Table<true> {
  return { name, encode: () => flag, decode: () => true };
}

/** `value` in [0, 2³²): ascending within the pair. */
export function uuidPairNumberKey(first: Uuid, second: Uuid, value: number): Key {
  assert(Number.isInteger(value) && value >= 0 && value < 2 ** 32, `key number ${value}`);
  const key = Buffer.allocUnsafe(36);
  parseUuid(first, key);
  parseUuid(second, key, 16);
  key.writeUInt32BE(value, 32);
  return key;
}

/** The number that ends a key made by uuidNumberKey. */
export function ascendingNumber(key: Key): number {
  return key.readUIntBE(16, 6);
}

/** Every key that begins with `prefix`, all of them unless bounded. */
export function under(prefix: Key, entriesMax = 2 ** 31 - 1): KeyRange {
  return { start: prefix, end: prefixEnd(prefix), entriesMax };
}
