import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textDiff } from "./text-diff.ts";

const text = fc.array(fc.constantFrom("a", "b", "c", "-", ""), { maxLength: 12 }).map((lines) => lines.join("\n"));

describe("textDiff", () => {
  it("says nothing of equal texts, and has each text in it of two that differ", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const diff = textDiff(before, after);
        expect(diff === "").toBe(before === after);
        if (diff === "") return;
        const lines = diff.split("\n").slice(1);
        const side = (sign: string) =>
          lines.filter((line) => line.startsWith(sign) || line.startsWith("  ")).map((line) => line.slice(2));
        expect(`\n${before}\n`).toContain(`\n${side("- ").join("\n")}${side("- ").length > 0 ? "\n" : ""}`);
        expect(`\n${after}\n`).toContain(`\n${side("+ ").join("\n")}${side("+ ").length > 0 ? "\n" : ""}`);
      }),
      { numRuns: 1_000 },
    );
  });

  it("shows the changed line with the one before it", () => {
    expect(textDiff("a\nb\nc\n", "a\nx\nc\n")).toBe("@@ line 2\n  a\n- b\n+ x");
  });
});
