import { expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { createLmdbConversationLists } from "../../../src/stores/lmdb/conversation-lists.ts";
import { createLmdbReceipts } from "../../../src/stores/lmdb/receipts.ts";
import { newId } from "../../contract/durable-harness.ts";
import { openTestEnvironment } from "../../contract/lmdb-environment.ts";

test("a receipt and the list rows it moves become visible together", async () => {
  await using environment = await openTestEnvironment();
  const receipts = createLmdbReceipts(environment.open);
  const lists = createLmdbConversationLists(environment.open);
  const writeWithLists = present(receipts.writeWithLists, "LMDB keeps both in one environment");
  const [conversationId, userId, peerId] = [newId(), newId(), newId()];
  const last = { seq: 9, ucount: 9, sender: peerId, at: 1 };
  await lists.write([{ userId, conversationId, kind: "direct", peerId, last }]);

  for (let seq = 1; seq <= 9; seq++) {
    const progress = { done: false };
    const written = writeWithLists(
      [{ conversationId, userId, recv: { seq, at: seq } }],
      [{ userId, conversationId, kind: "direct", recvSeq: seq }],
    ).then(() => (progress.done = true));
    while (!progress.done) {
      const [receipt, row] = await Promise.all([
        receipts.one(conversationId, userId),
        lists.one(userId, conversationId),
      ]);
      expect(receipt?.recvSeq ?? 0).toBe(row?.recvSeq);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await written;
    expect(await receipts.one(conversationId, userId)).toMatchObject({ recvSeq: seq, recvAt: seq });
    expect(await lists.one(userId, conversationId)).toMatchObject({ recvSeq: seq });
  }
});
