import { describe, expect, test } from "vitest";
import type { ListWrite } from "../../core/model.ts";
import { listStatements } from "./list-statements.ts";
import { receiptStatements } from "./receipt-statements.ts";
import { reversedTime, timeOfReversed } from "./registers.ts";
import type { Statement } from "./session.ts";

const [user, chat, peer] = ["1", "2", "3"].map((digit) => `0192f0c1-0000-7000-8000-00000000000${digit}`) as [
  string,
  string,
  string,
];
const base = { userId: user, conversationId: chat, kind: "direct", peerId: peer } as const;
const last = { seq: 9, ucount: 4, sender: peer, at: 1_700_000_000_000 };

const timestampsOf = (statements: readonly Statement[]): readonly number[] =>
  statements.map(({ params }) => Number((params[0] as Buffer).readBigInt64BE()) - 1_600_000_000_000_000);

/** Question marks and values must pair up, whatever is set. */
function expectWhole(statements: readonly Statement[]): void {
  for (const { query, params } of statements) expect(params).toHaveLength(query.split("?").length - 1);
}

describe("the statements of a list write", () => {
  test("are one for a message of someone else, and one for an own message with what its sender read", () => {
    const received: ListWrite = { ...base, last };
    const sent: ListWrite = { ...base, last, ownSeq: 9, read: { seq: 9, ucount: 4 } };
    for (const write of [received, sent, { ...base, last, ownSeq: 9 }]) {
      const statements = listStatements(write);
      expect(timestampsOf(statements)).toEqual([9]);
      expectWhole(statements);
    }
  });

  test("are two when the last row is not the own one", () => {
    const statements = listStatements({ ...base, last, ownSeq: 8, read: { seq: 8, ucount: 4 } });
    expect(new Set(timestampsOf(statements))).toEqual(new Set([8, 9]));
    expectWhole(statements);
  });

  test("are one for each seq that drives a cell", () => {
    const statements = listStatements({
      ...base,
      last,
      recvSeq: 7,
      read: { seq: 7, ucount: 3 },
      peerReadSeq: 5,
      clearedSeq: 2,
      checkedSeq: 9,
    });
    expect(new Set(timestampsOf(statements))).toEqual(new Set([2, 5, 7, 9]));
    expect(statements).toHaveLength(4);
    expectWhole(statements);
  });

  test("never bind null, and leave alone what is not set", () => {
    const [statement] = listStatements({ ...base, recvSeq: 7 });
    expect(statement?.params.filter((cell) => cell !== undefined)).toHaveLength(4);
    expect(statement?.params).not.toContain(null);
  });

  test("are none for a write that sets nothing", () => {
    expect(listStatements(base)).toEqual([]);
  });
});

describe("the statements of a receipt", () => {
  const at = 1_700_000_000_000;
  test("are one when both watermarks stand at one seq, else one each", () => {
    const receipt = { conversationId: chat, userId: user, recv: { seq: 7, at } };
    expect(timestampsOf(receiptStatements({ ...receipt, read: { seq: 7, at: at + 1 } }))).toEqual([7]);
    expect(timestampsOf(receiptStatements({ ...receipt, read: { seq: 5, at } }))).toEqual([7, 5]);
    expect(receiptStatements({ conversationId: chat, userId: user })).toEqual([]);
    expectWhole(receiptStatements({ ...receipt, read: { seq: 5, at } }));
  });

  test("carry times of which the earlier one is the larger cell", () => {
    expect(Buffer.compare(reversedTime(at), reversedTime(at + 1))).toBe(1);
    for (const time of [0, 1, at]) expect(timeOfReversed(Number(reversedTime(time).readBigInt64BE()))).toBe(time);
  });
});
