import fc from "fast-check";
import { expect, test } from "vitest";
import { openPlain, sealPlain, sizeOfEnvelope, textOf } from "./envelope.ts";

test("a body comes out of its envelope as it went in, whatever the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const envelope = sealPlain({ text });
      expect(openPlain(envelope)).toEqual({ text });
      expect(sizeOfEnvelope(envelope)).toBe(Buffer.from(envelope, "base64").length);
    }),
  );
});

test("what is not a plain envelope of this version is not opened", () => {
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
  for (const value of [
    { v: 2, suite: 0, body: {} },
    { v: 1, suite: 1, body: {} },
    { v: 1, suite: 0, body: "x" },
    [],
    null,
  ]) {
    expect(openPlain(encode(value))).toBeUndefined();
  }
  expect(openPlain("%%%")).toBeUndefined();
});

test("a row without a text has none", () => {
  expect(textOf({ kind: 0 })).toBeUndefined();
  expect(textOf({ kind: 1, envelope: sealPlain({ text: 5 as never }) })).toBeUndefined();
  expect(textOf({ kind: 3, envelope: sealPlain({ text: "yes", target: "x" }) })).toBe("yes");
});
