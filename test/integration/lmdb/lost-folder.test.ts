import { rm } from "node:fs/promises";
import { expect, test } from "vitest";
import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";
import { createLmdbConversationLists } from "../../../src/stores/lmdb/conversation-lists.ts";
import { newId } from "../../contract/durable-harness.ts";
import { temporaryFolder } from "./folder.ts";

test("a folder that is taken away ends the promises by name, not the process", async () => {
  await using folder = await temporaryFolder();
  const environment = await openEnvironment(folder.path);
  const lists = createLmdbConversationLists(environment);
  const [userId, conversationId] = [newId(), newId()];
  const write = (seq: number): Promise<void> =>
    lists.write([{ userId, conversationId, kind: "direct", last: { seq, ucount: seq, sender: userId, at: seq } }]);
  await write(1);

  await rm(folder.path, { recursive: true });
  const writes = await Promise.allSettled([2, 3, 4].map(write));
  for (const outcome of writes) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "store_unavailable", undecided: false } });
  }
  await expect(write(5)).rejects.toMatchObject({ code: "store_unavailable" });
  expect(await lists.one(userId, conversationId)).toMatchObject({ lastSeq: 1 });
  await environment.close();
});
