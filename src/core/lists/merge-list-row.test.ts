import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ListRow, ListWrite } from "../model.ts";
import { mergeListRow } from "./merge-list-row.ts";

const base = { userId: "u", conversationId: "c", kind: "group" } as const;
const seq = fc.integer({ min: 1, max: 6 });
const value = fc.integer({ min: 0, max: 4 });
const sender = fc.constantFrom("a", "b", "c");

/** Small ranges, so that equal driving seqs with different values happen all the time. */
const writes: fc.Arbitrary<ListWrite> = fc
  .record(
    {
      last: fc.record({ seq, ucount: value, sender, at: value }),
      ownSeq: seq,
      recvSeq: seq,
      read: fc.record({ seq, ucount: value }),
      peerRecvSeq: seq,
      peerReadSeq: seq,
      membership: fc.record({ seq, joinedSeq: value, leftSeq: value, leftUcount: value }),
      clearedSeq: seq,
      checkedSeq: seq,
    },
    { requiredKeys: [] },
  )
  .map((fields) => ({ ...base, ...fields }));

const apply = (row: ListRow | undefined, list: readonly ListWrite[]): ListRow | undefined =>
  list.reduce(mergeListRow, row);

const creation: ListWrite = { ...base, last: { seq: 1, ucount: 0, sender: "a", at: 0 } };
const created = apply(undefined, [creation]);

describe("mergeListRow", () => {
  test("writes to a row give the same row in any order", () => {
    fc.assert(
      fc.property(
        fc
          .array(writes, { maxLength: 8 })
          .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([inOrder, shuffled]) => {
          expect(apply(created, shuffled)).toEqual(apply(created, inOrder));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("writes that may create the row commute from nothing as well", () => {
    const creating = writes.map((write) => ({
      ...write,
      last: write.last ?? { seq: 1, ucount: 0, sender: "a", at: 0 },
    }));
    fc.assert(
      fc.property(creating, creating, creating, (one, two, three) => {
        expect(apply(undefined, [three, one, two])).toEqual(apply(undefined, [one, two, three]));
      }),
    );
  });

  test("a repeated write changes nothing and gives the very same row", () => {
    fc.assert(
      fc.property(fc.array(writes, { minLength: 1, maxLength: 6 }), fc.nat(), (list, pick) => {
        const row = apply(created, list);
        const again = list[pick % list.length] as ListWrite;
        expect(mergeListRow(row, again)).toBe(row);
      }),
    );
  });

  test("no register ever falls", () => {
    fc.assert(
      fc.property(fc.array(writes, { maxLength: 6 }), writes, (list, write) => {
        const before = apply(created, list) as ListRow;
        const after = mergeListRow(before, write) as ListRow;
        for (const name of [
          "lastSeq",
          "ownSeq",
          "recvSeq",
          "readSeq",
          "peerRecvSeq",
          "peerReadSeq",
          "membershipSeq",
          "clearedSeq",
          "checkedSeq",
        ] as const) {
          expect(after[name]).toBeGreaterThanOrEqual(before[name]);
        }
      }),
    );
  });

  test("cells that are set together come from one write", () => {
    const early: ListWrite = { ...base, last: { seq: 5, ucount: 3, sender: "a", at: 10 }, read: { seq: 5, ucount: 3 } };
    const late: ListWrite = { ...base, last: { seq: 9, ucount: 3, sender: "b", at: 20 }, read: { seq: 4, ucount: 2 } };
    const row = apply(undefined, [late, early]);
    expect(row).toMatchObject({ lastSeq: 9, lastUcount: 3, lastSender: "b", lastAt: 20, readSeq: 5, readUcount: 3 });
  });

  test("a receipt alone lists nothing", () => {
    expect(
      mergeListRow(undefined, { ...base, recvSeq: 3, read: { seq: 3, ucount: 1 }, checkedSeq: 3 }),
    ).toBeUndefined();
  });

  test("a direct row is readable from its first seq, a group row only once its join is known", () => {
    expect(mergeListRow(undefined, { ...creation, kind: "direct", peerId: "p" })).toMatchObject({
      joinedSeq: 1,
      leftSeq: 0,
      peerId: "p",
    });
    expect(mergeListRow(undefined, creation)).toMatchObject({ joinedSeq: 0 });
  });

  test("a rejoin replaces the interval that was left, whichever arrives first", () => {
    const left: ListWrite = { ...base, membership: { seq: 7, joinedSeq: 2, leftSeq: 8, leftUcount: 4 } };
    const rejoined: ListWrite = { ...base, membership: { seq: 12, joinedSeq: 12, leftSeq: 0, leftUcount: 0 } };
    const expected = { joinedSeq: 12, leftSeq: 0, leftUcount: 0, membershipSeq: 12 };
    expect(apply(undefined, [left, rejoined])).toMatchObject(expected);
    expect(apply(undefined, [rejoined, left])).toMatchObject(expected);
  });
});
