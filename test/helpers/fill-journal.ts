import { openJournalStorage } from "../../src/client/storage/journal.ts";
import { StorageError } from "../../src/client/storage/types.ts";

/** Run as a process whose files may not grow: writes until that fails, then prints what was told and what is left. */
const folder = process.argv[2] ?? "";
const storage = await openJournalStorage({ folder });
let durable = 0;
let failure = "";
storage.onDurable((changes, error) => {
  if (error === undefined) durable = changes;
  else failure = error.code;
});
let flushed = true;
for (let order = 0; order < 64 && flushed; order++) {
  const envelope = "x".repeat(1_000);
  const entry = { messageId: String(order), conversationId: "", to: { user: "" }, envelope, order, state: "pending" };
  storage.write({ outboxPut: entry as never });
  flushed = await storage.flush().then(
    () => true,
    (error: unknown) => !(error instanceof StorageError),
  );
}
await storage.close().catch(() => undefined);
const again = await openJournalStorage({ folder });
process.stdout.write(JSON.stringify({ flushed, durable, failure, left: again.load().outbox.length }));
await again.close();
