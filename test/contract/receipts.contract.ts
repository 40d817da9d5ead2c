import { describe, expect, test } from "vitest";
import type { ReceiptRow } from "../../src/core/model.ts";
import type { Receipts } from "../../src/core/ports/receipts.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

const at = 1_700_000_000_000;

export function describeReceipts(name: string, makeHarness: MakeDurableHarness<Receipts>): void {
  describe(`receipts: ${name}`, () => {
    test("a conversation nobody acknowledged has none", async () => {
      await using harness = await makeHarness();
      expect(await harness.store.all(newId())).toEqual([]);
      expect(await harness.store.one(newId(), newId())).toBeUndefined();
      await harness.store.write([]);
    });

    test("both watermarks come back with their times, one or both at once, also for the next process", async () => {
      await using harness = await makeHarness();
      const [conversationId, one, other] = [newId(), newId(), newId()];
      await harness.store.write([
        { conversationId, userId: one, recv: { seq: 7, at: at + 7 }, read: { seq: 5, at: at + 5 } },
        { conversationId, userId: other, recv: { seq: 2 ** 33, at: at + 9 } },
      ]);
      const expected: ReceiptRow[] = [
        { userId: one, recvSeq: 7, recvAt: at + 7, readSeq: 5, readAt: at + 5 },
        { userId: other, recvSeq: 2 ** 33, recvAt: at + 9, readSeq: 0, readAt: 0 },
      ];
      const expectRows = async (store: Receipts): Promise<void> => {
        expect((await store.all(conversationId)).toSorted(byUser)).toEqual(expected.toSorted(byUser));
        expect(await store.one(conversationId, one)).toEqual(expected[0]);
        expect(await store.one(conversationId, newId())).toBeUndefined();
      };
      await expectRows(harness.store);
      await expectRows(await harness.reopen());
    });

    test("a higher seq wins with its time, in any order of arrival", async () => {
      await using harness = await makeHarness();
      const [conversationId, userId] = [newId(), newId()];
      for (const seq of [5, 9, 7, 2]) {
        await harness.store.write([{ conversationId, userId, recv: { seq, at: at + seq } }]);
        await harness.store.write([{ conversationId, userId, read: { seq: seq - 1, at: at - seq } }]);
      }
      expect(await harness.store.one(conversationId, userId)).toEqual({
        userId,
        recvSeq: 9,
        recvAt: at + 9,
        readSeq: 8,
        readAt: at - 9,
      });
    });

    test("a repeat with another time does not move the time", async () => {
      await using harness = await makeHarness();
      const [conversationId, userId] = [newId(), newId()];
      await harness.store.write([{ conversationId, userId, recv: { seq: 4, at } }]);
      await harness.store.write([{ conversationId, userId, recv: { seq: 4, at: at + 60_000 } }]);
      expect(await harness.store.one(conversationId, userId)).toMatchObject({ recvSeq: 4, recvAt: at });
    });

    test("conversations and members are apart, and all of a conversation is read together", async () => {
      await using harness = await makeHarness();
      const [one, other] = ["0192f0c1-0000-7000-8000-0000000000b0", "0192f0c1-0000-7000-8000-0000000000b1"] as const;
      const members = Array.from({ length: 100 }, () => newId());
      await harness.store.write(
        members.map((userId, index) => ({ conversationId: one, userId, recv: { seq: index + 1, at } })),
      );
      await harness.store.write([{ conversationId: other, userId: members[0] as string, read: { seq: 1, at } }]);
      const rows = await harness.store.all(one);
      expect(rows.map(({ userId }) => userId).toSorted()).toEqual(members.toSorted());
      expect(rows.filter(({ readSeq }) => readSeq > 0)).toEqual([]);
      expect(await harness.store.all(other)).toHaveLength(1);
    });

    test("writes at once all count", async () => {
      await using harness = await makeHarness();
      const [conversationId, userId] = [newId(), newId()];
      const seqs = [3, 8, 1, 6, 2, 7, 5, 4];
      await Promise.all(
        seqs.flatMap((seq) => [
          harness.store.write([{ conversationId, userId, recv: { seq, at: at + seq } }]),
          harness.store.write([{ conversationId, userId, read: { seq, at: at - seq } }]),
        ]),
      );
      expect(await harness.store.one(conversationId, userId)).toEqual({
        userId,
        recvSeq: 8,
        recvAt: at + 8,
        readSeq: 8,
        readAt: at - 8,
      });
    });
  });
}

function byUser(one: ReceiptRow, other: ReceiptRow): number {
  return one.userId < other.userId ? -1 : 1;
}
