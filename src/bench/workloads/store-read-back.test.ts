import { describe, expect, test } from "vitest";
import { FaultList, type Fault } from "../ledger/faults.ts";
import { checkConversation } from "./store-read-back.ts";

/** Five appends acked at seqs 1–5; attempt 3 had no answer, so attempt 4 stands at 3 or at 4. */
const messageId = (_index: number, attempt: number): string => `m${attempt}`;

function check(
  acked: readonly (readonly [attempt: number, seq: number])[],
  undecided: readonly number[],
  log: readonly (readonly [seq: number, id: string])[],
  lists: readonly { member: string; lastSeq: number }[] = [],
): { readonly counts: Partial<Record<Fault, number>>; readonly undecidedInLog: number } {
  const faults = new FaultList();
  const conversations = {
    idOf: () => "c",
    messageId,
    ackedOf: () => new Map(acked),
    undecidedOf: () => new Set(undecided),
  };
  const rows = log.map(([seq, id]) => ({ seq, messageId: id }));
  const undecidedInLog = checkConversation(conversations, 0, rows, lists, faults);
  return { counts: faults.report().counts, undecidedInLog };
}

const three = [
  [1, 1],
  [2, 2],
  [3, 3],
] as const;
const whole = [
  [3, "m3"],
  [2, "m2"],
  [1, "m1"],
] as const;

describe("what was acked, against what is read back", () => {
  test("is in order when every row is where its answer said", () => {
    expect(check(three, [], whole)).toEqual({ counts: {}, undecidedInLog: 0 });
  });

  test.each<[string, readonly (readonly [number, string])[], Partial<Record<Fault, number>>]>([
    ["a row is gone from the middle", [whole[0], whole[2]], { acked_not_in_log: 1, gap_in_seq: 1 }],
    ["the last row is gone", whole.slice(1), { acked_not_in_log: 1 }],
    ["a row stands twice", [[4, "m3"], ...whole], { duplicated: 1 }],
    [
      "two rows have changed places",
      [
        [3, "m2"],
        [2, "m3"],
        [1, "m1"],
      ],
      { acked_seq_differs: 2, reordered: 1 },
    ],
    ["a row is nobody's", [[4, "x"], ...whole], { invented: 1 }],
  ])("is wrong when %s", (_, log, expected) => {
    expect(check(three, [], log).counts).toMatchObject(expected);
  });

  test("leaves open what had no answer, and counts what of it is there", () => {
    const later = [...three.slice(0, 2), [4, 4] as const];
    const withIt = [[4, "m4"], [3, "m3"], whole[1], whole[2]] as const;
    expect(check(later, [3], withIt)).toEqual({ counts: {}, undecidedInLog: 1 });
    expect(check([...three.slice(0, 2), [4, 3]], [3], [[3, "m4"], whole[1], whole[2]])).toEqual({
      counts: {},
      undecidedInLog: 0,
    });
  });

  test("is wrong when a member's list does not reach the end", () => {
    expect(check(three, [], whole, [{ member: "ann", lastSeq: 2 }]).counts).toEqual({ not_listed: 1 });
  });
});
