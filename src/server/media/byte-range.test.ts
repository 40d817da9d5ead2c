import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { namesEtag, parseByteRange } from "./byte-range.ts";

const sizeBytes = 10;

describe("a range", () => {
  it.each([
    ["bytes=0-3", 0, 4],
    ["bytes=3-3", 3, 4],
    ["bytes=4-", 4, 10],
    ["bytes=9-", 9, 10],
    ["bytes=-3", 7, 10],
    ["bytes=-99", 0, 10],
    ["bytes=0-999999999999999", 0, 10],
    ["BYTES=1-2", 1, 3],
    [" bytes=1-2 ", 1, 3],
  ])("%s is [%i, %i)", (header, fromByte, toByte) => {
    expect(parseByteRange(header, sizeBytes)).toEqual({ fromByte, toByte });
  });

  it.each(["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=999999999999999-"])("%s has nothing to give", (header) => {
    expect(parseByteRange(header, sizeBytes)).toBe("unsatisfiable");
  });

  it.each([
    undefined,
    "",
    "bytes=",
    "bytes=-",
    "bytes=4-2",
    "bytes=0-1,3-4",
    `bytes=${"0-0,".repeat(1_000)}0-0`,
    "bytes=a-b",
    "bytes=1.5-2",
    "bytes=+1-2",
    "bytes= 1-2",
    "items=0-1",
    "0-1",
    `bytes=${"9".repeat(400)}-`,
  ])("%s is as good as none", (header) => {
    expect(parseByteRange(header, sizeBytes)).toBeUndefined();
  });

  it("never leaves the object, whatever is asked for", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 40 }), (text, size) => {
        for (const header of [text, `bytes=${text}`]) {
          const range = parseByteRange(header, size);
          if (range === undefined || range === "unsatisfiable") continue;
          expect(range.fromByte).toBeGreaterThanOrEqual(0);
          expect(range.fromByte).toBeLessThan(range.toByte);
          expect(range.toByte).toBeLessThanOrEqual(size);
        }
      }),
    );
  });
});

it.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  ['"b", "a"', true],
  ["*", true],
  ['"b"', false],
  ["a", false],
])("%s names the tag: %s", (header, expected) => {
  expect(namesEtag(header, '"a"')).toBe(expected);
});
