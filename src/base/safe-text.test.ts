import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { safeLine, safeText } from "./safe-text.ts";

const hostile = fc.constantFrom(
  ..."\u001b|\u001b[|\u001b]|\u001bP|\u009b|\u009d|\u0090|\u0007|\u009c|\u001b\\|\r|\n|\t|\b|\u007f".split("|"),
  ..."\u200b|\u200d|\u200e|\u202e|\u2066|\u2069|\ufeff|\u00ad|\u{e0041}|\u{e0100}|\ufe0f|\ufe0e".split("|"),
  ..."👩|🚀|🏽|e|\u0301|31m|8;;http://x|\ud800|1".split("|"),
);
const anything = fc.oneof(
  fc.array(hostile, { maxLength: 24 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 }).map((units) => String.fromCharCode(...units)),
);
/** Without what an emoji may contain: nothing here may ever come out. */
const never =
  /(?!\n)[\p{Cc}\u00ad\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/u;

describe("safeText", () => {
  it("lets nothing through that a terminal acts on or that cannot be seen", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const safe = safeText(text);
        expect(never.test(safe)).toBe(false);
        expect(safe.isWellFormed()).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("changes nothing the second time, and never makes a text longer", () => {
    fc.assert(
      fc.property(anything, (text) => {
        const safe = safeText(text);
        expect(safeText(safe)).toBe(safe);
        expect(safe.length).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it("keeps a joiner only between pictographs", () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(safeText(text)).not.toMatch(/\u200d(?!\p{Extended_Pictographic})|(?<![\p{Emoji}\ufe0f])\u200d/u);
      }),
      { numRuns: 2_000 },
    );
    expect(safeText("a\u200d🚀\u200db👩\u200d🚀")).toBe("a🚀b👩\u200d🚀");
  });

  it.each([
    ["a colour", "a\u001b[31mred\u001b[0m", "ared"],
    ["a C1 CSI", "a\u009b2Jb", "ab"],
    ["a window title", "\u001b]0;owned\u0007hi", "hi"],
    ["a link", "\u001b]8;;http://evil\u001b\\click\u001b]8;;\u001b\\", "click"],
    ["a clipboard write", "\u001b]52;c;ZXZpbA==\u0007x", "x"],
    ["a device control string", "\u001bP$q\u001b\\x", "x"],
    ["a string that never ends: its words are shown", "\u001b]0;shown", "0;shown"],
    ["a reset", "\u001bcx", "x"],
    ["backspaces", "safe\b\b\b\bevil", "safeevil"],
    ["a carriage return that would overwrite the line", "bob: hi\rali: no", "bob: hi\nali: no"],
    ["right-to-left override", "photo\u202egpj.exe", "photogpj.exe"],
    ["isolates", "\u2067x\u2069", "x"],
    ["zero-width spaces", "pass\u200bword", "password"],
    ["tag characters", "hi\u{e0068}\u{e0069}", "hi"],
    ["hidden bits in selectors", "a\ufe0fb\ufe0e", "ab"],
    ["a joiner between letters", "a\u200db", "ab"],
    ["a lone surrogate", "a\ud800b", "a\ufffdb"],
    ["a tab", "a\tb", "a b"],
    ["a line separator", "a\u2028b", "a\nb"],
  ])("takes away %s", (_what, text, expected) => {
    expect(safeText(text)).toBe(expected);
  });

  it.each(["plain", "Grüße, 世界", "مرحبا", "👩‍🚀 👨‍👩‍👧‍👦 👍🏽", "☺️ 1️⃣ 🏳️‍🌈", "é e\u0301", "two\nlines", "नमस्ते"])(
    "leaves %s as it is",
    (text) => {
      expect(safeText(text)).toBe(text);
    },
  );

  it.each(["\u0090", "\u009d", "\u001b]", "\u001bP", "\u009b0", "\u001b ", "👩\u200d", "\u0301"])(
    "takes time in proportion to the length, also for many of %j that never end",
    (part) => {
      const startedMs = performance.now();
      safeText(part.repeat(60_000));
      expect(performance.now() - startedMs).toBeLessThan(1_000);
    },
  );

  it("stops marks that pile up on one letter", () => {
    expect(safeText(`z${"\u0335".repeat(100)}x`)).toBe(`z${"\u0335".repeat(8)}x`);
  });

  it("makes one line of a name", () => {
    expect(safeLine("a\nb\r\nc")).toBe("a b c");
  });
});
