import { describe, expect, test } from "vitest";
import { mergeListRow } from "../../src/core/lists/merge-list-row.ts";
import type { ListRow, ListWrite } from "../../src/core/model.ts";
import type { ConversationLists } from "../../src/core/ports/conversation-lists.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

interface Target {
  readonly userId: Uuid;
  readonly conversationId: Uuid;
  readonly kind: "direct" | "group";
}

function target(kind: "direct" | "group" = "group", userId = newId()): Target {
  return { userId, conversationId: newId(), kind };
}

function last(seq: number): NonNullable<ListWrite["last"]> {
  return { seq, ucount: seq * 2, sender: newId(), at: 1_700_000_000_000 + seq };
}

/** A value of its own for every register, so that two that change places are noticed. */
function full(row: Target): ListWrite {
  return {
    ...row,
    peerId: newId(),
    last: last(900),
    ownSeq: 2 ** 33 + 1,
    recvSeq: 102,
    read: { seq: 103, ucount: 104 },
    peerRecvSeq: 105,
    peerReadSeq: 106,
    membership: { seq: 107, joinedSeq: 108, leftSeq: 109, leftUcount: 110 },
    clearedSeq: 111,
    checkedSeq: 112,
  };
}

export function describeConversationLists(name: string, makeHarness: MakeDurableHarness<ConversationLists>): void {
  describe(`conversation lists: ${name}`, () => {
    describeRows(makeHarness);
    describeRegisters(makeHarness);
  });
}

function describeRows(makeHarness: MakeDurableHarness<ConversationLists>): void {
  test("a user without conversations has no rows", async () => {
    await using harness = await makeHarness();
    expect(await harness.store.all(newId())).toEqual([]);
    expect(await harness.store.one(newId(), newId())).toBeUndefined();
    await harness.store.write([]);
  });

  test("every field comes back as it was written, also for the next process", async () => {
    await using harness = await makeHarness();
    const write = full(target("direct"));
    const expected = mergeListRow(undefined, write) as ListRow;
    await harness.store.write([write]);
    expect(await harness.store.one(write.userId, write.conversationId)).toEqual(expected);
    expect(await harness.store.all(write.userId)).toEqual([expected]);
    const reopened = await harness.reopen();
    expect(await reopened.one(write.userId, write.conversationId)).toEqual(expected);
  });

  test("what a row does not have stays absent", async () => {
    await using harness = await makeHarness();
    const write: ListWrite = { ...target(), membership: { seq: 4, joinedSeq: 4, leftSeq: 0, leftUcount: 0 } };
    await harness.store.write([write]);
    const row = (await (await harness.reopen()).one(write.userId, write.conversationId)) as ListRow;
    expect(row).toEqual(mergeListRow(undefined, write));
    expect(row.peerId).toBeUndefined();
    expect(row.lastSender).toBeUndefined();
  });

  test("all answers every row of the user and nobody else's", async () => {
    await using harness = await makeHarness();
    const [user, other] = ["0192f0c1-0000-7000-8000-0000000000a0", "0192f0c1-0000-7000-8000-0000000000a1"] as const;
    const mine = Array.from({ length: 300 }, () => ({ ...target("group", user), last: last(1) }));
    const theirs = [{ ...target("group", other), last: last(2) }];
    await harness.store.write([...mine, ...theirs]);
    const ids = (rows: readonly { readonly conversationId: Uuid }[]): readonly Uuid[] =>
      rows.map(({ conversationId }) => conversationId).toSorted();
    expect(ids(await harness.store.all(user))).toEqual(ids(mine));
    expect(ids(await harness.store.all(other))).toEqual(ids(theirs));
  });

  test("a write that neither lists nor joins makes no row, and is no obstacle to one that does", async () => {
    await using harness = await makeHarness();
    const row = target();
    await harness.store.write([{ ...row, recvSeq: 3, read: { seq: 3, ucount: 1 }, checkedSeq: 3 }]);
    expect(await harness.store.all(row.userId)).toEqual([]);
    await harness.store.write([{ ...row, last: last(3) }]);
    expect(await harness.store.one(row.userId, row.conversationId)).toMatchObject({ lastSeq: 3 });
  });
}

function describeRegisters(makeHarness: MakeDurableHarness<ConversationLists>): void {
  test("the highest seq wins in any order of arrival, with what was set beside it", async () => {
    await using harness = await makeHarness();
    const row = target();
    const writes = new Map([5, 9, 7, 2].map((seq) => [seq, last(seq)]));
    for (const write of writes.values()) await harness.store.write([{ ...row, last: write }]);
    expect(await harness.store.one(row.userId, row.conversationId)).toMatchObject({
      lastSeq: 9,
      lastUcount: 18,
      lastSender: writes.get(9)?.sender,
      lastAt: writes.get(9)?.at,
    });
  });

  test("cells of one row that different seqs drive do not disturb each other", async () => {
    await using harness = await makeHarness();
    const row = target();
    await harness.store.write([{ ...row, last: last(10), read: { seq: 4, ucount: 8 } }]);
    await harness.store.write([{ ...row, read: { seq: 9, ucount: 11 }, recvSeq: 3 }]);
    await harness.store.write([{ ...row, last: last(6), recvSeq: 8, peerReadSeq: 5 }]);
    await harness.store.write([{ ...row, recvSeq: 7, peerRecvSeq: 6, clearedSeq: 2 }]);
    expect(await harness.store.one(row.userId, row.conversationId)).toMatchObject({
      lastSeq: 10,
      readSeq: 9,
      readUcount: 11,
      recvSeq: 8,
      peerReadSeq: 5,
      peerRecvSeq: 6,
      clearedSeq: 2,
    });
  });

  test("a repeated write changes nothing", async () => {
    await using harness = await makeHarness();
    const write = full(target());
    await harness.store.write([write, write]);
    const once = await harness.store.one(write.userId, write.conversationId);
    await harness.store.write([write]);
    expect(await harness.store.one(write.userId, write.conversationId)).toEqual(once);
  });

  test("writes to one row at once all count, in one call and in many", async () => {
    await using harness = await makeHarness();
    const row = target();
    await harness.store.write([{ ...row, last: last(1) }]);
    const writes: ListWrite[] = [
      { ...row, last: last(40) },
      { ...row, ownSeq: 30 },
      { ...row, recvSeq: 20 },
      { ...row, read: { seq: 10, ucount: 5 } },
      { ...row, checkedSeq: 40 },
    ];
    await Promise.all([...writes.map((write) => harness.store.write([write])), harness.store.write(writes)]);
    expect(await harness.store.one(row.userId, row.conversationId)).toMatchObject({
      lastSeq: 40,
      ownSeq: 30,
      recvSeq: 20,
      readSeq: 10,
      checkedSeq: 40,
    });
  });

  test("many rows raced over by many writers end at their highest, also for the next process", async () => {
    await using harness = await makeHarness();
    const rows = Array.from({ length: 12 }, () => target());
    const rounds = [4, 1, 6, 3, 5, 2];
    await Promise.all(
      rounds.flatMap((seq) => rows.map((row) => harness.store.write([{ ...row, last: last(seq), recvSeq: seq }]))),
    );
    const reopened = await harness.reopen();
    for (const { userId, conversationId } of rows) {
      expect(await reopened.one(userId, conversationId)).toMatchObject({ lastSeq: 6, recvSeq: 6 });
    }
  });
}
