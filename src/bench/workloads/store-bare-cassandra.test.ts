import { expect, test } from "vitest";
import type { BareCassandra } from "../../stores/cassandra/bare-client.ts";
import { createCassandraConversationLists } from "../../stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../../stores/cassandra/message-log.ts";
import type { CassandraSession, Statement } from "../../stores/cassandra/session.ts";
import { createBareOperations, insertPlainRow } from "./store-bare-cassandra.ts";
import { createAdapterOperations, type AppendRequest, type CassandraOperations } from "./store-operations.ts";

/** The comparison is worth something only while both clients send the same: statement by statement, value by value. */
const conversationId = "0190a000-0000-8000-8000-000000000001";
const [ann, bob] = ["0190a000-0000-8000-8000-00000000000a", "0190a000-0000-8000-8000-00000000000b"] as const;

function requestAt(seq: number): AppendRequest {
  const last = { seq, ucount: seq, sender: ann, at: 1_700_000_000_000 };
  const row = {
    seq,
    messageId: "0190a000-0000-7000-8000-0000000000ff",
    senderId: ann,
    senderDevice: 1,
    sentAt: last.at,
    kind: 1,
    visibility: 0 as const,
    ucount: seq,
    envelope: Buffer.from("hello"),
  };
  return {
    conversationId,
    bucket: Math.floor((seq - 1) / 1_024),
    expect: { head: seq - 1, headUcount: seq - 1, headAt: 1_600_000_000_000, membership: 0 },
    opens: (seq - 1) % 1_024 === 0,
    rows: [row],
    membership: 0,
    lists: [
      { userId: ann, conversationId, kind: "direct", peerId: bob, last, ownSeq: seq, read: { seq, ucount: seq } },
      { userId: bob, conversationId, kind: "direct", peerId: ann, last },
    ],
  };
}

const textOf = (query: string): string => query.replaceAll(/\s+/g, " ").trim();

function recorded(): { readonly seen: Statement[]; note(statements: readonly Statement[]): void } {
  const seen: Statement[] = [];
  return {
    seen,
    note(statements) {
      for (const { query, params } of statements) seen.push({ query: textOf(query), params: [...params] });
    },
  };
}

async function throughAdapter(
  run: (operations: CassandraOperations) => Promise<unknown>,
): Promise<readonly Statement[]> {
  const { seen, note } = recorded();
  const session: CassandraSession = {
    keyspace: "k",
    read: async (statement) => (note([statement]), []),
    readAll: async () => [],
    write: async (statements) => note(statements),
    writeIf: async (statements) => (note(statements), { outcome: "applied" }),
    load: () => ({ inFlight: 0, waiting: 0 }),
    lost: () => false,
    close: async () => {},
  };
  await run(createAdapterOperations(createCassandraMessageLog(session), createCassandraConversationLists(session)));
  return seen;
}

async function throughDriver(
  run: (operations: CassandraOperations) => Promise<unknown>,
): Promise<readonly Statement[]> {
  const { seen, note } = recorded();
  const client: BareCassandra = {
    execute: async (query, params) => (note([{ query, params }]), []),
    batchIf: async (statements) => (note(statements), { "[applied]": true }),
    close: async () => {},
  };
  await run(createBareOperations(client));
  return seen;
}

test.each<[string, (operations: CassandraOperations) => Promise<unknown>]>([
  ["an append", (operations) => operations.append({ ...requestAt(7), lists: [] })],
  ["an append that opens a bucket", (operations) => operations.append({ ...requestAt(1_025), lists: [] })],
  ["a message with its list rows", (operations) => operations.append(requestAt(7))],
  ["a register", (operations) => operations.raise(requestAt(7).lists[1] as AppendRequest["lists"][number])],
])("%s is the same through the adapter and the bare driver", async (_, run) => {
  const [ours, bare] = [await throughAdapter(run), await throughDriver(run)];
  expect(bare).toEqual(ours);
  expect(ours.length).toBeGreaterThan(0);
});

test("a page is the same; the adapter looks at the head of an empty bucket as well", async () => {
  const run = (operations: CassandraOperations) => operations.page(conversationId, 1, 1_030, 1_079, 50);
  const [ours, bare] = [await throughAdapter(run), await throughDriver(run)];
  expect(bare).toEqual(ours.slice(0, 1));
});

test("the plain row is the row of an append", async () => {
  const { seen, note } = recorded();
  const client = { execute: async (query: string, params: Statement["params"]) => (note([{ query, params }]), []) };
  const request = requestAt(7);
  await insertPlainRow(
    client as unknown as BareCassandra,
    conversationId,
    0,
    request.rows[0] as AppendRequest["rows"][0],
  );
  const append = await throughAdapter((operations) => operations.append({ ...request, lists: [] }));
  expect(seen).toEqual(append.slice(1));
});
