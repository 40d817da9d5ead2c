import { describe, expect, test } from "vitest";
import { acceptRun, isReadable } from "./watermark-rule.ts";

const open = [{ joinedSeq: 1, leftSeq: 0 }];
const claim = { watermark: 10, from: 11, seq: 20, head: 30, intervals: open };

describe("acceptRun", () => {
  test.each([
    ["a run right after the watermark", claim, true],
    ["a run that overlaps the watermark", { ...claim, from: 3 }, true],
    ["a run that ends below the watermark (a repeat)", { ...claim, from: 1, seq: 4 }, true],
    ["a run that ends at the head", { ...claim, seq: 30 }, true],
    ["a run that leaves a hole (a new device that loaded only the newest rows)", { ...claim, from: 12 }, false],
    ["a seq beyond the head", { ...claim, seq: 31 }, false],
    ["a hostile seq", { ...claim, seq: 1e12 }, false],
    ["a run that ends before it begins", { ...claim, from: 11, seq: 10 }, false],
    ["a run from 0", { ...claim, from: 0, seq: 0 }, false],
  ])("%s", (_, one, accepted) => {
    expect(acceptRun(one)).toBe(accepted);
  });

  const returned = [
    { joinedSeq: 3, leftSeq: 8 },
    { joinedSeq: 15, leftSeq: 0 },
  ];
  test.each([
    ["before the join", 2, false],
    ["the first row of an interval", 3, true],
    ["the last row before leaving", 7, true],
    ["the row at which the member had left", 8, false],
    ["between two memberships", 14, false],
    ["after the return", 15, true],
  ])("a seq %s", (_, seq, accepted) => {
    expect(acceptRun({ watermark: 14, from: 1, seq, head: 20, intervals: returned })).toBe(accepted);
  });

  test("a run may pass over what the member could not read, but not end there", () => {
    expect(acceptRun({ watermark: 7, from: 8, seq: 16, head: 20, intervals: returned })).toBe(true);
    expect(acceptRun({ watermark: 7, from: 8, seq: 12, head: 20, intervals: returned })).toBe(false);
  });
});

test("a join that is not in the log yet reads nothing", () => {
  expect(isReadable([{ joinedSeq: 0, leftSeq: 0 }], 1)).toBe(false);
});
