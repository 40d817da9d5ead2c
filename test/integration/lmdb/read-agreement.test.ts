import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { emptyHead } from "../../../src/core/model.ts";
import { createLmdbConversationLists } from "../../../src/stores/lmdb/conversation-lists.ts";
import { createLmdbMessageLog } from "../../../src/stores/lmdb/message-log.ts";
import { openTestEnvironment } from "../../contract/lmdb-environment.ts";
import { newId } from "../../contract/durable-harness.ts";
import { appendAt, headAfter, listWrite, rowAt } from "../../contract/log-fixture.ts";

/** A reader between the commit and its announcement; 60 appends hit that moment many times. */
test("a row that a list names is in the log, at whatever moment both are read", async () => {
  await using environment = await openTestEnvironment();
  const log = createLmdbMessageLog(environment.open);
  const lists = createLmdbConversationLists(environment.open);
  const [userId, conversationId] = [newId(), newId()];
  let end = emptyHead;
  for (let seq = 1; seq <= 60; seq++) {
    const row = rowAt(seq);
    const append = log.append(
      appendAt(log, conversationId, end, [row], { lists: [listWrite(userId, conversationId, row)] }),
    );
    let listed = 0;
    while (listed < seq) {
      await nextTurn();
      listed = (await lists.all(userId))[0]?.lastSeq ?? 0;
    }
    const { rows } = await log.readBucket(conversationId, 0, seq, seq, 1, "latest");
    expect(rows.map((found) => found.seq)).toEqual([seq]);
    await append;
    end = headAfter(row);
  }
});
