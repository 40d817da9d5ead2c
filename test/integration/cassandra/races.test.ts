import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { createSeededRandom, randomBelow } from "../../../src/base/random.ts";
import { mergeListRow } from "../../../src/core/lists/merge-list-row.ts";
import { emptyHead, type ListRow, type ListWrite, type LogRow } from "../../../src/core/model.ts";
import type { MessageLog } from "../../../src/core/ports/message-log.ts";
import { connectCassandra } from "../../../src/stores/cassandra/connect.ts";
import { createCassandraConversationLists } from "../../../src/stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../../../src/stores/cassandra/message-log.ts";
import { newId } from "../../contract/durable-harness.ts";
import { appendAt, headAfter, readLog, rowAt } from "../../contract/log-fixture.ts";
import { cassandraOptions, ownKeyspace } from "../../helpers/cassandra-keyspace.ts";
import { describeOn } from "../../helpers/real-stores.ts";

const bucketRows = 4;

describeOn(["cassandra"], "many writers of one conversation", () => {
  const config = ownKeyspace();
  /** Put a number here to see its choices again; how the stores interleave them is theirs. */
  const seed = randomInt(2 ** 31);

  test(
    `leave a log without holes in which every appended row stands once (seed ${seed})`,
    { timeout: 60_000 },
    async () => {
      await using processes = await openProcesses(2);
      const random = createSeededRandom(seed);
      const conversation = newId();
      const appended = new Map<number, LogRow>();
      let lastRefused = 0;

      /** As a server does, but without its dedupe: an open outcome is settled by a serial read. */
      const append = async (log: MessageLog): Promise<void> => {
        const newest = await log.newestBucket(conversation, 0, random.float() < 0.5 ? "serial" : "latest");
        const end = newest?.head ?? emptyHead;
        const room = bucketRows - (end.head % bucketRows);
        const rows = Array.from({ length: 1 + randomBelow(random, room) }, (_, index) => rowAt(end.head + 1 + index));
        const { outcome } = await log.append(appendAt(log, conversation, end, rows));
        if (outcome === "conflict") lastRefused++;
        const stands =
          outcome === "appended" || (outcome === "undecided" && (await hasRow(log, conversation, rows[0])));
        if (stands) for (const row of rows) note(row);
      };
      const note = (row: LogRow): void => {
        expect(appended.has(row.seq), `seq ${row.seq} is given once`).toBe(false);
        appended.set(row.seq, row);
      };
      const writer = async (log: MessageLog): Promise<void> => {
        for (let turn = 0; turn < 12; turn++) await append(log);
      };
      await Promise.all(processes.logs.flatMap((log) => [writer(log), writer(log), writer(log)]));

      const [log] = processes.logs;
      const rows = await readLog(log, conversation);
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index + 1));
      expect(rows.map(({ messageId }) => messageId)).toEqual(rows.map(({ seq }) => appended.get(seq)?.messageId));
      expect(rows).toHaveLength(appended.size);
      expect((await log.newestBucket(conversation, 0, "serial"))?.head).toEqual(headAfter(rows.at(-1) as LogRow));
      expect(lastRefused, "they did race").toBeGreaterThan(0);
    },
  );

  test(
    `leave list rows as the one merge says, in any order and at once (seed ${seed})`,
    { timeout: 60_000 },
    async () => {
      await using processes = await openProcesses(2);
      const random = createSeededRandom(seed);
      for (let round = 0; round < 60; round++) {
        const key = { userId: newId(), conversationId: newId(), kind: "direct" as const, peerId: newId() };
        // Senders of few ids, so that equal seqs with different values meet.
        const senders = [newId(), newId()];
        const number = (): number => 1 + randomBelow(random, 4);
        const some = <T>(make: () => T): T | undefined => (random.float() < 0.4 ? make() : undefined);
        const write = (): ListWrite => {
          const seq = number();
          const last = { seq, ucount: number(), sender: senders[seq % 2] as string, at: number() };
          // What a message sets for its sender and for others has statements of its own.
          if (random.float() < 0.2) return { ...key, last, ownSeq: seq, read: { seq, ucount: last.ucount } };
          if (random.float() < 0.2) return { ...key, last };
          const fields = {
            last: some(() => ({
              seq: number(),
              ucount: number(),
              sender: senders[number() % 2] as string,
              at: number(),
            })),
            ownSeq: some(number),
            recvSeq: some(number),
            read: some(() => ({ seq: number(), ucount: number() })),
            peerRecvSeq: some(number),
            peerReadSeq: some(number),
            membership: some(() => ({ seq: number(), joinedSeq: number(), leftSeq: number(), leftUcount: number() })),
            clearedSeq: some(number),
            checkedSeq: some(number),
          };
          const set = Object.entries(fields).filter(([, value]) => value !== undefined);
          return { ...key, ...(Object.fromEntries(set) as Partial<ListWrite>) };
        };
        const first: ListWrite = { ...key, last: { seq: 1, ucount: 1, sender: senders[0] as string, at: 1 } };
        const writes = Array.from({ length: 2 + randomBelow(random, 6) }, write);
        const [one, other] = processes.lists;
        await one.write([first]);
        await Promise.all(writes.map((each) => (random.float() < 0.5 ? one : other).write([each])));
        const expected = [first, ...writes].reduce<ListRow | undefined>(mergeListRow, undefined);
        expect(await one.one(key.userId, key.conversationId)).toEqual(expected);
      }
    },
  );

  async function openProcesses(count: number) {
    const sessions = await Promise.all(Array.from({ length: count }, () => connectCassandra(cassandraOptions(config))));
    return {
      logs: sessions.map((session) => createCassandraMessageLog(session, { bucketRows })) as [MessageLog, MessageLog],
      lists: sessions.map(createCassandraConversationLists) as [ListStore, ListStore],
      async [Symbol.asyncDispose]() {
        await Promise.all(sessions.map((session) => session.close()));
      },
    };
  }
});

type ListStore = ReturnType<typeof createCassandraConversationLists>;

async function hasRow(log: MessageLog, conversation: string, row: LogRow | undefined): Promise<boolean> {
  if (row === undefined) return false;
  const bucket = Math.floor((row.seq - 1) / bucketRows);
  const { rows } = await log.readBucket(conversation, bucket, row.seq, row.seq, 1, "serial");
  return rows[0]?.messageId === row.messageId;
}
