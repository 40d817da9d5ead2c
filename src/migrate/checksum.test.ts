import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checksumOf, normaliseText } from "./checksum.ts";

const line = fc.string({ unit: fc.constantFrom(...Array.from("ab ;'-\té")), maxLength: 8 });
const lines = fc.array(line, { maxLength: 6 });

describe("normaliseText", () => {
  it("gives the same text for whatever line breaks, trailing blanks and end an editor leaves", () => {
    fc.assert(
      fc.property(
        lines,
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.constantFrom("", " ", "\t "),
        (written, eol, blanks) => {
          const plain = normaliseText(written.join("\n"));
          const mangled = `\uFEFF${written.map((one) => `${one}${blanks}`).join(eol)}${eol}${eol}`;
          expect(checksumOf(normaliseText(mangled))).toBe(checksumOf(plain));
        },
      ),
    );
  });

  it("changes nothing the second time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(normaliseText(normaliseText(text))).toBe(normaliseText(text));
      }),
    );
  });

  it.each([
    ["a word", "SELECT 1;", "SELECT 2;"],
    ["leading blanks", "SELECT 1;", " SELECT 1;"],
    ["a comment", "-- a\nSELECT 1;", "-- b\nSELECT 1;"],
    ["an empty line in the middle", "a\nb", "a\n\nb"],
  ])("tells apart what differs in %s", (_what, one, other) => {
    expect(checksumOf(normaliseText(one))).not.toBe(checksumOf(normaliseText(other)));
  });
});
