import { assert } from "../../base/assert.ts";
import { formatUuid, parseUuid, type Uuid } from "../../protocol/ids.ts";

/**
 * Keys are raw bytes whose bytewise order is the clustering order: ids as their 16 bytes, numbers big-endian, and
 * numbers that are read from the highest down as their complement. Nobody changes a key once it is made.
 */
export type Key = Buffer;

const uint48Max = 2 ** 48 - 1;
const keyBytesMax = 511;

export function uuidKey(id: Uuid): Key {
  const key = Buffer.allocUnsafe(16);
  parseUuid(id, key);
  return key;
}

export function uuidPairKey(first: Uuid, second: Uuid): Key {
  const key = Buffer.allocUnsafe(32);
  parseUuid(first, key);
  parseUuid(second, key, 16);
  return key;
}

/** `value` in [0, 2⁴⁸): ascending. */
export function numberKey(value: number): Key {
  assert(Number.isInteger(value) && value >= 0 && value <= uint48Max, `key number ${value}`);
  const key = Buffer.allocUnsafe(6);
  key.writeUIntBE(value, 0, 6);
  return key;
}

/** The number of a key made by numberKey. */
export function numberOfKey(key: Key): number {
  return key.readUIntBE(0, 6);
}

/** `value` in [0, 2⁴⁸): ascending within the id. */
export function uuidNumberKey(id: Uuid, value: number): Key {
  assert(Number.isInteger(value) && value >= 0 && value <= uint48Max, `key number ${value}`);
  const key = Buffer.allocUnsafe(22);
  parseUuid(id, key);
  key.writeUIntBE(value, 16, 6);
  return key;
}

/** `value` in [0, 2⁴⁸): descending within the id, so that a range starts at the highest. */
export function uuidDescendingKey(id: Uuid, value: number): Key {
  return uuidNumberKey(id, uint48Max - value);
}

/** The number that ends a key made by uuidDescendingKey. */
export function descendingNumber(key: Key): number {
  return uint48Max - key.readUIntBE(key.length - 6, 6);
}

export function textKey(text: string): Key {
  const key = Buffer.from(text, "utf8");
  assert(key.length > 0 && key.length <= keyBytesMax, `key of ${key.length} bytes`);
  return key;
}

/** The key as a string of one character a byte: the cheapest form that a Map compares by content. */
export function keyText(key: Key): string {
  return key.toString("latin1");
}

/** The id that stands at `offset` bytes in a key. */
export function uuidOfKey(key: Key, offset = 0): Uuid {
  return formatUuid(key, offset);
}

/** Where the range of all keys that begin with `prefix` ends (exclusive). */
export function prefixEnd(prefix: Key): Key {
  const end = Buffer.from(prefix);
  for (let index = end.length - 1; index >= 0; index--) {
    const byte = end[index] as number;
    if (byte < 0xff) {
      end[index] = byte + 1;
      return end.subarray(0, index + 1);
    }
  }
  // No id is all ones: nothing that is stored lies beyond.
  return Buffer.alloc(keyBytesMax, 0xff);
}
