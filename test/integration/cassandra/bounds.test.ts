import { expect, test } from "vitest";
import { emptyHead, type ListWrite, type LogRow } from "../../../src/core/model.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { connectCassandra } from "../../../src/stores/cassandra/connect.ts";
import { createCassandraConversationLists } from "../../../src/stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../../../src/stores/cassandra/message-log.ts";
import { rowsPerRead, type CassandraSession } from "../../../src/stores/cassandra/session.ts";
import { newId } from "../../contract/durable-harness.ts";
import { appendAt, decided, headAfter, listWrite, rowAt } from "../../contract/log-fixture.ts";
import { cassandraOptions, ownKeyspace } from "../../helpers/cassandra-keyspace.ts";
import { describeOn } from "../../helpers/real-stores.ts";

describeOn(["cassandra"], "Cassandra at the bounds of the protocol", () => {
  const config = ownKeyspace();

  async function withSession(work: (session: CassandraSession) => Promise<void>): Promise<void> {
    const session = await connectCassandra(cassandraOptions(config, { timeoutMs: 20_000 }));
    try {
      await work(session);
    } finally {
      await session.close();
    }
  }

  test("takes the largest append in one conditional batch, and gives it back", { timeout: 60_000 }, async () => {
    await withSession(async (session) => {
      const log = createCassandraMessageLog(session);
      const conversation = newId();
      const rows = Array.from({ length: limits.draftsPerAppendMax }, (_, index) =>
        rowAt(index + 1, { envelope: Buffer.alloc(limits.envelopeBytesMax, index) }),
      );
      expect(decided(await log.append(appendAt(log, conversation, emptyHead, rows)))).toBe("appended");
      const page = await log.readBucket(conversation, 0, 1, rows.length, rows.length, "serial");
      expect(page.head).toEqual(headAfter(rows.at(-1) as LogRow));
      expect(page.rows).toHaveLength(rows.length);
      for (const { seq, envelope } of page.rows) {
        expect(Buffer.compare(envelope, (rows[seq - 1] as LogRow).envelope)).toBe(0);
      }
    });
  });

  test("lists a message to the largest group that gets its list rows at once", { timeout: 60_000 }, async () => {
    await withSession(async (session) => {
      const log = createCassandraMessageLog(session);
      const lists = createCassandraConversationLists(session);
      const conversation = newId();
      const members = Array.from({ length: limits.membersDirectFanOutMax }, () => newId());
      const row = rowAt(1, { senderId: members[0] as string });
      const writes = members.map((userId): ListWrite => ({ ...listWrite(userId, conversation, row), kind: "group" }));
      expect(decided(await log.append(appendAt(log, conversation, emptyHead, [row], { lists: writes })))).toBe(
        "appended",
      );
      const listed = await Promise.all(members.map((userId) => lists.one(userId, conversation)));
      expect(listed.filter((one) => one?.lastSeq === 1)).toHaveLength(members.length);
    });
  });

  test("answers every conversation of a user, also more than one answer holds", { timeout: 60_000 }, async () => {
    await withSession(async (session) => {
      const lists = createCassandraConversationLists(session);
      const userId = newId();
      const conversations = Array.from({ length: rowsPerRead + 10 }, () => newId());
      await lists.write(conversations.map((conversation) => listWrite(userId, conversation, rowAt(1))));
      const all = await lists.all(userId);
      expect(new Set(all.map(({ conversationId }) => conversationId))).toEqual(new Set(conversations));
      expect(all).toHaveLength(conversations.length);
    });
  });
});
