import { expect, test } from "vitest";
import { bigintCell, blobCell, intCell, numberOf, tinyintCell, uuidCell, uuidOf } from "./cells.ts";

test("numbers travel as big-endian, up to the largest safe one", () => {
  for (const value of [0, 1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 1, Number.MAX_SAFE_INTEGER]) {
    const cell = bigintCell(value);
    expect(cell.readBigInt64BE()).toBe(BigInt(value));
    expect(numberOf({ high: cell.readInt32BE(0), low: cell.readInt32BE(4) })).toBe(value);
  }
  for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => bigintCell(wrong)).toThrow("number");
  expect(numberOf(null)).toBe(0);
  expect(intCell(2 ** 31 - 1).readInt32BE()).toBe(2 ** 31 - 1);
  expect(tinyintCell(127).readInt8()).toBe(127);
});

test("ids and byte arrays travel as they are", () => {
  const id = "0192f0c1-0000-7000-8000-0000000000a0";
  expect(uuidOf({ getBuffer: () => uuidCell(id) })).toBe(id);
  const bytes = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
  expect([...blobCell(bytes)]).toEqual([1, 2]);
});
