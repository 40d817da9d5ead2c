import { expect, test } from "vitest";
import { createLmdbConversationLists } from "../../../src/stores/lmdb/conversation-lists.ts";
import { createLmdbMessageLog } from "../../../src/stores/lmdb/message-log.ts";
import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";
import { createLmdbReceipts } from "../../../src/stores/lmdb/receipts.ts";
import { newId } from "../../contract/durable-harness.ts";
import { readLog } from "../../contract/log-fixture.ts";
import { startChild } from "./children.ts";
import { temporaryFolder } from "./folder.ts";

const bucketRows = 4;

test("a process killed in mid-write, over and over, loses nothing it reported and leaves nothing half done", async () => {
  await using folder = await temporaryFolder();
  const conversations = Array.from({ length: 16 }, () => newId());
  const reported = new Map<string, number>();
  for (const linesBeforeKill of [1, 40, 200, 75, 300, 120]) {
    await using child = startChild(
      new URL("./writer.ts", import.meta.url),
      folder.path,
      String(bucketRows),
      ...conversations,
    );
    await child.written(linesBeforeKill);
    await child.kill();
    for (const line of child.lines) {
      const [conversationId = "", seq] = line.split(" ");
      reported.set(conversationId, Math.max(reported.get(conversationId) ?? 0, Number(seq)));
    }
    await expectWhole(folder.path, conversations, reported);
  }
  expect([...reported.values()].reduce((sum, seq) => sum + seq, 0)).toBeGreaterThan(700);
});

async function expectWhole(
  path: string,
  conversations: readonly string[],
  reported: ReadonlyMap<string, number>,
): Promise<void> {
  await using environment = await openEnvironment(path, { bucketRows });
  const log = createLmdbMessageLog(environment);
  const lists = createLmdbConversationLists(environment);
  const receipts = createLmdbReceipts(environment);
  for (const id of conversations) {
    const rows = await readLog(log, id, 4);
    const head = (await log.newestBucket(id, 0, "serial"))?.head.head ?? 0;
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, index) => index + 1));
    expect(head).toBeGreaterThanOrEqual(reported.get(id) ?? 0);
    expect(rows.every(({ envelope, seq }) => envelope.every((byte) => byte === ((seq - 1) & 0xff)))).toBe(true);
    // List rows come with the append or not at all; receipts after it, and reported after both.
    expect((await lists.one(id, id))?.lastSeq ?? 0).toBe(head);
    const recvSeq = (await receipts.one(id, id))?.recvSeq ?? 0;
    expect(recvSeq).toBeGreaterThanOrEqual(reported.get(id) ?? 0);
    expect(recvSeq).toBeLessThanOrEqual(head);
  }
}
