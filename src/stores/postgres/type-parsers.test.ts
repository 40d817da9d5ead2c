import { describe, expect, test } from "vitest";
import { parseSafeInteger, typeParsers } from "./type-parsers.ts";

describe("types of PostgreSQL", () => {
  test("a bigint is a number, exact or refused", () => {
    expect(typeParsers.getTypeParser(20)("1700000000000")).toBe(1_700_000_000_000);
    expect(parseSafeInteger("9007199254740991")).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseSafeInteger("-5")).toBe(-5);
    for (const text of ["9007199254740992", "-9007199254740992", "9223372036854775807", "x"]) {
      expect(() => parseSafeInteger(text)).toThrow(text);
    }
    expect(() => typeParsers.getTypeParser(1016)).toThrow("bigint");
  });

  test("bytea is bytes, uuid and its arrays are text, json is parsed", () => {
    const bytes = typeParsers.getTypeParser(17)(String.raw`\x00ff10`);
    expect(bytes).toBeInstanceOf(Uint8Array);
    expect([...(bytes as Uint8Array)]).toEqual([0, 255, 16]);
    expect(typeParsers.getTypeParser(2951)("{0190-a,0190-b}")).toEqual(["0190-a", "0190-b"]);
    expect(typeParsers.getTypeParser(114)('{"a":[1,true]}')).toEqual({ a: [1, true] });
  });
});
