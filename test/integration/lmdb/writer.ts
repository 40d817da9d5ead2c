import { emptyHead, type LogRow } from "../../../src/core/model.ts";
import { createLmdbMessageLog } from "../../../src/stores/lmdb/message-log.ts";
import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";
import { createLmdbReceipts } from "../../../src/stores/lmdb/receipts.ts";
import { appendAt, headAfter, listWrite, rowAt } from "../../contract/log-fixture.ts";

// Appends to many conversations at once, as fast as it can, and says of each append that it resolved. Ends by SIGKILL.
const [folder, bucketRows, ...conversations] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: writer.ts FOLDER BUCKET_ROWS CONVERSATION…");
const environment = await openEnvironment(folder, { bucketRows: Number(bucketRows) });
const log = createLmdbMessageLog(environment);
const receipts = createLmdbReceipts(environment);

async function write(conversationId: string): Promise<never> {
  let head = (await log.newestBucket(conversationId, 0, "serial"))?.head ?? emptyHead;
  for (;;) {
    const rows: LogRow[] = [
      rowAt(head.head + 1, { ucount: head.headUcount + 1, envelope: Buffer.alloc(200, head.head) }),
    ];
    // Two rows at once now and then, so that an append cut in half would show.
    const [first] = rows as [LogRow];
    if (first.seq % log.bucketRows !== 0 && first.seq % 3 === 0) {
      rows.push(rowAt(first.seq + 1, { ucount: first.ucount + 1, envelope: Buffer.alloc(9_000, first.seq) }));
    }
    const last = rows.at(-1) as LogRow;
    const lists = [listWrite(conversationId, conversationId, last)];
    const { outcome } = await log.append(appendAt(log, conversationId, head, rows, { lists }));
    if (outcome !== "appended") throw new Error(`one writer a conversation, and yet ${outcome}`);
    await receipts.write([{ conversationId, userId: conversationId, recv: { seq: last.seq, at: last.sentAt } }]);
    process.stdout.write(`${conversationId} ${last.seq}\n`);
    head = headAfter(last);
  }
}

await Promise.all(conversations.map(write));
