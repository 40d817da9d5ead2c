import { expect, test } from "vitest";
import { type PayloadHeader, parsePayloadHeader, PayloadPool } from "./payload.ts";

const pool = new PayloadPool(42);
const header: PayloadHeader = {
  run: 4_294_967_295,
  sender: 49,
  conversation: 123_456,
  n: 17,
  intendedUs: 12_345_678,
  workload: 3,
  server: 1,
};

function textOf(envelope: string): string {
  const parsed = JSON.parse(Buffer.from(envelope, "base64").toString("utf8")) as {
    v: number;
    suite: number;
    body: { text: string };
  };
  expect(parsed.v).toBe(1);
  expect(parsed.suite).toBe(0);
  return parsed.body.text;
}

test.each([1, 100, 200, 201, 202, 4_096, 40_000])("an envelope of %d bytes decodes to a text of that size", (bytes) => {
  const text = textOf(pool.envelope(header, bytes));
  expect(text).toContain("msgr-bench 4294967295 49 123456 17 12345678 3 1 ");
  expect(Math.abs(text.length - Math.max(49, bytes))).toBeLessThanOrEqual(2);
});

test("the header comes back from envelopes of every length of header", () => {
  for (const n of [1, 12, 123, 1_234, 12_345]) {
    for (const intendedUs of [-1, 0, 7, 86_400_000_000]) {
      const sent = { ...header, n, intendedUs };
      expect(parsePayloadHeader(pool.envelope(sent, 300))).toEqual(sent);
      expect(parsePayloadHeader(pool.envelope(sent, 0))).toEqual(sent);
    }
  }
});

test("the same seed gives the same text", () => {
  expect(new PayloadPool(42).envelope(header, 500)).toBe(pool.envelope(header, 500));
  expect(new PayloadPool(43).envelope(header, 500)).not.toBe(pool.envelope(header, 500));
});

test("messages of others are told apart", () => {
  expect(parsePayloadHeader("")).toBeUndefined();
  expect(parsePayloadHeader(btoa('{"v":1,"suite":0,"body":{"text":"hello"}}'))).toBeUndefined();
  expect(parsePayloadHeader(btoa('{"v":1,"suite":0,"body":{"text":"msgr-bench 1 2 3 4 5 6 7"}}'))).toBeUndefined();
  expect(parsePayloadHeader(btoa('{"v":1,"suite":0,"body":{"text":"msgr-bench a b c d e f g h"}}'))).toBeUndefined();
});
