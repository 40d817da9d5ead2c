import fc from "fast-check";
import { expect, test } from "vitest";
import {
  descendingNumber,
  prefixEnd,
  uuidDescendingKey,
  uuidKey,
  uuidNumberKey,
  uuidOfKey,
  uuidPairKey,
} from "./keys.ts";

const id = fc.uuid();
const number = fc.nat({ max: 2 ** 48 - 1 });
const order = (one: string | number, other: string | number): number => (one < other ? -1 : one > other ? 1 : 0);

test("keys lie in the order of their ids, then of their numbers up or down", () => {
  fc.assert(
    fc.property(id, id, number, number, (one, other, low, high) => {
      expect(Buffer.compare(uuidNumberKey(one, low), uuidNumberKey(other, high))).toBe(
        order(one, other) || order(low, high),
      );
      expect(Buffer.compare(uuidDescendingKey(one, low), uuidDescendingKey(other, high))).toBe(
        order(one, other) || order(high, low),
      );
      expect(Buffer.compare(uuidPairKey(one, other), uuidPairKey(other, one))).toBe(order(one, other));
    }),
  );
});

test("what a key was made of can be read from it", () => {
  fc.assert(
    fc.property(id, id, number, (one, other, value) => {
      const pair = uuidPairKey(one, other);
      expect([uuidOfKey(pair), uuidOfKey(pair, 16)]).toEqual([one, other]);
      expect(descendingNumber(uuidDescendingKey(one, value))).toBe(value);
    }),
  );
});

test("the range of a prefix holds every key that begins with it and no other", () => {
  const prefixes = fc.oneof(
    id,
    fc.constant("0192f0c1-0000-7000-8000-00000000ffff"),
    fc.constant("ffffffff-ffff-7fff-bfff-ffffffffffff"),
  );
  fc.assert(
    fc.property(prefixes, prefixes, id, (prefix, first, second) => {
      const key = uuidPairKey(first, second);
      const within = Buffer.compare(key, uuidKey(prefix)) >= 0 && Buffer.compare(key, prefixEnd(uuidKey(prefix))) < 0;
      expect(within).toBe(first === prefix);
    }),
  );
});

test("numbers that do not fit are refused", () => {
  for (const value of [-1, 0.5, 2 ** 48])
    expect(() => uuidNumberKey("0".repeat(36), value)).toThrow(`key number ${value}`);
});
