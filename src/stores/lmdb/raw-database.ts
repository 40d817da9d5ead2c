import type { Database, DatabaseOptions, RootDatabase } from "lmdb";
import type { Key } from "./keys.ts";

/** A database as the driver gives it: keys and values are bytes. */
export type RawDatabase = Database<Buffer, Key>;
export type RawRoot = RootDatabase<Buffer, Key>;

/**
 * Bytes in, bytes out, without the copies that the driver's own "binary" makes of every value: what a read answers is
 * the driver's one buffer, of which only the first `length` bytes are the value, and only until the next read.
 */
const rawValues = {
  encode: (value: Buffer): Buffer => value,
  decode: (bytes: Buffer): Buffer => bytes,
};

const rawKeys = {
  writeKey(key: Key, target: Buffer, at: number): number {
    target.set(key, at);
    return at + key.length;
  },
  readKey(source: Buffer, from: number, to: number): Key {
    const key = Buffer.allocUnsafe(to - from);
    source.copy(key, 0, from, to);
    return key;
  },
};

// The driver takes both; its types do not name them.
export const rawOptions: DatabaseOptions & { readonly encoder: typeof rawValues; readonly keyEncoder: typeof rawKeys } =
  {
    encoder: rawValues,
    keyEncoder: rawKeys,
  };
