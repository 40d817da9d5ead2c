import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ReceiptRow } from "../model.ts";
import type { ReceiptWrite } from "../ports/receipts.ts";
import { mergeReceipt } from "./merge-receipt.ts";

const mark = fc.integer({ min: 1, max: 20 }).map((seq) => ({ seq, at: seq * 1_000 }));
const writes: fc.Arbitrary<ReceiptWrite> = fc
  .record({ recv: mark, read: mark }, { requiredKeys: [] })
  .map((marks) => ({ conversationId: "c", userId: "u", ...marks }));

const apply = (list: readonly ReceiptWrite[]): ReceiptRow | undefined =>
  list.reduce<ReceiptRow | undefined>(mergeReceipt, undefined);

describe("mergeReceipt", () => {
  test("writes give the same row in any order, and repeating one changes nothing", () => {
    fc.assert(
      fc.property(
        fc
          .array(writes, { minLength: 1, maxLength: 8 })
          .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([inOrder, shuffled]) => {
          const row = apply(inOrder);
          expect(apply(shuffled)).toEqual(row);
          expect(mergeReceipt(row, inOrder[0] as ReceiptWrite)).toBe(row);
        },
      ),
    );
  });

  test("a repeat does not move the time", () => {
    const first = { conversationId: "c", userId: "u", recv: { seq: 4, at: 100 } };
    expect(apply([first, { ...first, recv: { seq: 4, at: 900 } }])).toMatchObject({ recvSeq: 4, recvAt: 100 });
  });

  test("delivered and read move apart from each other", () => {
    const row = apply([
      { conversationId: "c", userId: "u", read: { seq: 3, at: 30 } },
      { conversationId: "c", userId: "u", recv: { seq: 9, at: 90 } },
    ]);
    expect(row).toEqual({ userId: "u", recvSeq: 9, recvAt: 90, readSeq: 3, readAt: 30 });
  });
});
