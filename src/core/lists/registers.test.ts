import { describe, expect, test } from "vitest";
import type { ListRow, ListWrite } from "../model.ts";
import { mergeListRow } from "./merge-list-row.ts";
import { toRegisters } from "./registers.ts";

const base = { userId: "u", conversationId: "c", kind: "group" } as const;

function rowOf(...writes: ListWrite[]): ListRow {
  return writes.reduce<ListRow | undefined>(mergeListRow, undefined) as ListRow;
}

describe("toRegisters", () => {
  const joined: ListWrite = { ...base, membership: { seq: 3, joinedSeq: 3, leftSeq: 0, leftUcount: 0 } };
  const left: ListWrite = { ...base, membership: { seq: 9, joinedSeq: 3, leftSeq: 10, leftUcount: 5 } };
  const late: ListWrite = { ...base, last: { seq: 12, ucount: 8, sender: "a", at: 70 } };

  test("a member sees the last row", () => {
    expect(toRegisters(rowOf(joined, late))).toMatchObject({
      last_seq: 12,
      last_ucount: 8,
      joined_seq: 3,
      left_seq: 0,
    });
  });

  test("one who left sees nothing past the own interval, though a late fan-out wrote it", () => {
    expect(toRegisters(rowOf(joined, left, late))).toMatchObject({ last_seq: 9, last_ucount: 5, left_seq: 10 });
  });

  test("one who left and lags behind keeps what the row reflects", () => {
    const early: ListWrite = { ...base, last: { seq: 7, ucount: 4, sender: "a", at: 50 } };
    expect(toRegisters(rowOf(joined, left, early))).toMatchObject({ last_seq: 7, last_ucount: 4 });
  });
});
