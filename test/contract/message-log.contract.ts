import { describe, expect, test } from "vitest";
import { AssertionError } from "../../src/base/assert.ts";
import { emptyHead, type LogHead, type LogRow } from "../../src/core/model.ts";
import type { ConversationLists } from "../../src/core/ports/conversation-lists.ts";
import type { AppendOutcome, MessageLog } from "../../src/core/ports/message-log.ts";
import type { Receipts } from "../../src/core/ports/receipts.ts";
import { limits } from "../../src/protocol/limits.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";
import { appendAt, decided, fill, headAfter, listWrite, readLog, rowAt } from "./log-fixture.ts";

/** The log, and the lists and receipts it writes to, over the same data. */
export interface LogStores {
  readonly log: MessageLog;
  readonly lists: ConversationLists;
  readonly receipts: Receipts;
}

/** `makeHarness` makes stores with buckets of 4 rows, so that every test crosses borders. */
export function describeMessageLog(name: string, makeHarness: MakeDurableHarness<LogStores>): void {
  describe(`message log: ${name}`, () => {
    describeReading(makeHarness);
    describeAppending(makeHarness);
    describeConflicts(makeHarness);
    describeListRows(makeHarness);
    describeRaces(makeHarness);
  });
}

function describeReading(makeHarness: MakeDurableHarness<LogStores>): void {
  test("a log without rows has no bucket", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    expect(log.bucketRows).toBe(4);
    for (const consistency of ["latest", "serial"] as const) {
      expect(await log.newestBucket(newId(), 0, consistency)).toBeUndefined();
      expect(await log.readBucket(newId(), 0, 1, 10, 10, consistency)).toEqual({ head: undefined, rows: [] });
    }
  });

  test("rows come back as they were written, the highest first", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const rows = [
      rowAt(1),
      rowAt(2, { kind: 2, mediaId: newId(), visibility: 1, envelope: new Uint8Array(0) }),
      rowAt(3),
    ];
    expect(await log.append(appendAt(log, conversation, emptyHead, rows))).toEqual({ outcome: "appended" });
    const page = await log.readBucket(conversation, 0, 1, 3, 10, "latest");
    expect(page.head).toEqual(headAfter(rows[2] as LogRow));
    expect(page.rows.map(plain)).toEqual(rows.toReversed().map(plain));
  });

  test("a range is cut at both ends, at the bucket and at the number of rows, keeping the highest", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    await fill(log, conversation, 10);
    const seqs = async (bucket: number, from: number, to: number, rowsMax: number): Promise<readonly number[]> =>
      (await log.readBucket(conversation, bucket, from, to, rowsMax, "latest")).rows.map(({ seq }) => seq);
    expect(await seqs(1, 1, 1_000, 50)).toEqual([8, 7, 6, 5]);
    expect(await seqs(1, 6, 7, 50)).toEqual([7, 6]);
    expect(await seqs(1, 1, 1_000, 2)).toEqual([8, 7]);
    expect(await seqs(2, 1, 1_000, 50)).toEqual([10, 9]);
    expect(await seqs(0, 1, 2, 1)).toEqual([2]);
    expect(await seqs(0, 5, 8, 50)).toEqual([]);
    expect(await seqs(1, 7, 6, 50)).toEqual([]);
    expect(await seqs(3, 1, 1_000, 50)).toEqual([]);
  });

  test("the newest bucket is found with any hint, with the statics of the last row", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const rows = await fill(log, conversation, 9);
    const newest = { bucket: 2, head: headAfter(rows[8] as LogRow) };
    for (const hint of [0, 1, 4, 5, 9]) {
      expect(await log.newestBucket(conversation, hint, "latest")).toEqual(newest);
      expect(await log.newestBucket(conversation, hint, "serial")).toEqual(newest);
    }
  });

  test("conversations do not see each other", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    // Ids that differ in their last bit lie side by side in any order of keys.
    const [one, other] = ["0192f0c1-0000-7000-8000-0000000000a0", "0192f0c1-0000-7000-8000-0000000000a1"] as const;
    const rows = await fill(log, one, 6);
    const others = await fill(log, other, 3);
    expect((await readLog(log, one)).map(plain)).toEqual(rows.map(plain));
    expect((await readLog(log, other)).map(plain)).toEqual(others.map(plain));
  });

  test("everything that was appended is there for the next process", async () => {
    await using harness = await makeHarness();
    const conversation = newId();
    const rows = await fill(harness.store.log, conversation, 10);
    const { log } = await harness.reopen();
    expect((await readLog(log, conversation)).map(plain)).toEqual(rows.map(plain));
    const next = rowAt(11);
    expect(await log.append(appendAt(log, conversation, headAfter(rows[9] as LogRow), [next]))).toEqual({
      outcome: "appended",
    });
  });
}

function describeAppending(makeHarness: MakeDurableHarness<LogStores>): void {
  test("a bucket is filled to its border by one append, and the next opens with the statics it is given", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const first = [1, 2, 3, 4].map((seq) => rowAt(seq));
    const second = [5, 6, 7, 8].map((seq) => rowAt(seq));
    expect(decided(await log.append(appendAt(log, conversation, emptyHead, first)))).toBe("appended");
    const full = headAfter(first[3] as LogRow);
    expect(decided(await log.append(appendAt(log, conversation, full, second)))).toBe("appended");
    expect((await log.readBucket(conversation, 0, 1, 8, 8, "serial")).head).toEqual(full);
    expect((await log.readBucket(conversation, 1, 1, 8, 8, "serial")).head).toEqual(headAfter(second[3] as LogRow));
    expect(await readLog(log, conversation)).toHaveLength(8);
  });

  test("envelopes of every size up to the bound come back whole, several of them in one append", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const sizes = [1, 2_000, 5_000, limits.envelopeBytesMax];
    const rows = sizes.map((size, index) => rowAt(index + 1, { envelope: Buffer.alloc(size, index + 1) }));
    expect(decided(await log.append(appendAt(log, conversation, emptyHead, rows)))).toBe("appended");
    const read = await readLog(log, conversation);
    for (const [index, row] of read.entries()) {
      expect(Buffer.compare(row.envelope, (rows[index] as LogRow).envelope)).toBe(0);
    }
    expect(read.map(({ envelope }) => envelope.length)).toEqual(sizes);
  });

  test("rows that were read stay what they are while others are read and written", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const [one, other] = [newId(), newId()];
    const big = rowAt(1, { envelope: Buffer.alloc(60_000, 1) });
    await log.append(appendAt(log, one, emptyHead, [big]));
    const { rows } = await log.readBucket(one, 0, 1, 1, 1, "latest");
    await log.append(appendAt(log, other, emptyHead, [rowAt(1, { envelope: Buffer.alloc(60_000, 2) })]));
    await readLog(log, other);
    expect(rows.map(plain)).toEqual([plain(big)]);
  });

  test("the membership moves with the row that says so, and stays with those that do not", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const [created, said, added] = [rowAt(1, { kind: 7 }), rowAt(2), rowAt(3, { kind: 7 })];
    const append = async (end: LogHead, row: LogRow, membership: number): Promise<string> =>
      decided(await log.append(appendAt(log, conversation, end, [row], { membership })));
    expect(await append(emptyHead, created, 1)).toBe("appended");
    expect(await append(headAfter(created, 1), said, 1)).toBe("appended");
    expect(await append(headAfter(said, 1), added, 2)).toBe("appended");
    expect((await log.newestBucket(conversation, 0, "serial"))?.head).toEqual(headAfter(added, 2));
  });

  test("a membership is carried over a border", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const first = [1, 2, 3, 4].map((seq) => rowAt(seq));
    await log.append(appendAt(log, conversation, emptyHead, first, { membership: 1 }));
    const full = headAfter(first[3] as LogRow, 1);
    const next = rowAt(5);
    expect(decided(await log.append(appendAt(log, conversation, full, [next])))).toBe("appended");
    expect((await log.newestBucket(conversation, 0, "serial"))?.head).toEqual(headAfter(next, 1));
  });

  test("what no caller may ask for is refused before anything is written", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const wrong = [
      appendAt(log, conversation, emptyHead, []),
      appendAt(log, conversation, emptyHead, [rowAt(2)]),
      appendAt(log, conversation, emptyHead, [rowAt(1), rowAt(3)]),
      appendAt(
        log,
        conversation,
        emptyHead,
        [1, 2, 3, 4, 5].map((seq) => rowAt(seq)),
      ),
      appendAt(log, conversation, emptyHead, [rowAt(1, { ucount: 2 })]),
      appendAt(log, conversation, { ...emptyHead, headAt: 2 ** 42 }, [rowAt(1)]),
      appendAt(log, conversation, emptyHead, [rowAt(1)], { membership: 2 }),
    ];
    for (const request of wrong) await expect(log.append(request)).rejects.toThrow(AssertionError);
    expect(await log.newestBucket(conversation, 0, "serial")).toBeUndefined();
  });
}

function describeConflicts(makeHarness: MakeDurableHarness<LogStores>): void {
  test("a stale head is refused, leaves no row and hears what the end is", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const rows = await fill(log, conversation, 2);
    const stale = headAfter(rows[0] as LogRow);
    const outcome = await log.append(appendAt(log, conversation, stale, [rowAt(2), rowAt(3)]));
    expect(decided(outcome)).toBe("conflict");
    expectActual(outcome, headAfter(rows[1] as LogRow));
    expect((await readLog(log, conversation)).map(plain)).toEqual(rows.map(plain));
  });

  test("a head that is ahead is refused", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const rows = await fill(log, conversation, 1);
    const ahead = { ...headAfter(rows[0] as LogRow), head: 2 };
    expect(decided(await log.append(appendAt(log, conversation, ahead, [rowAt(3)])))).toBe("conflict");
    expect(await readLog(log, conversation)).toHaveLength(1);
  });

  test("a membership that is not the log's is refused in either direction and told apart by the answer", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const row = rowAt(1);
    await log.append(appendAt(log, conversation, emptyHead, [row], { membership: 1 }));
    for (const membership of [0, 2]) {
      const wrong = headAfter(row, membership);
      const outcome = await log.append(appendAt(log, conversation, wrong, [rowAt(2)]));
      expect(decided(outcome)).toBe("conflict");
      expectActual(outcome, headAfter(row, 1));
    }
    expect(await readLog(log, conversation)).toHaveLength(1);
  });

  test("a bucket opens once: the second opener hears what is in it", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const rows = await fill(log, conversation, 5);
    const full = headAfter(rows[3] as LogRow);
    const outcome = await log.append(appendAt(log, conversation, full, [rowAt(5)]));
    expect(decided(outcome)).toBe("conflict");
    expectActual(outcome, headAfter(rows[4] as LogRow));
    expect(decided(await log.append(appendAt(log, conversation, emptyHead, [rowAt(1)])))).toBe("conflict");
    expect((await readLog(log, conversation)).map(plain)).toEqual(rows.map(plain));
  });

  test("an append into a bucket that does not exist is refused", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const imagined = { head: 1, headUcount: 1, headAt: 1, membership: 0 };
    const outcome = await log.append(appendAt(log, newId(), imagined, [rowAt(2)]));
    expect(decided(outcome)).toBe("conflict");
  });

  test("the same append sent twice lands once", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const request = appendAt(log, conversation, emptyHead, [rowAt(1), rowAt(2)]);
    const outcomes = await Promise.all([log.append(request), log.append(request)]);
    expect(outcomes.map(decided).toSorted()).toEqual(["appended", "conflict"]);
    expect((await readLog(log, conversation)).map(plain)).toEqual(request.rows.map(plain));
  });
}

function describeListRows(makeHarness: MakeDurableHarness<LogStores>): void {
  test("list rows are there when the append resolves, also for the next process", async () => {
    await using harness = await makeHarness();
    const { log, lists } = harness.store;
    const [conversation, one, other] = [newId(), newId(), newId()];
    const row = rowAt(1);
    const writes = [one, other].map((userId) => listWrite(userId, conversation, row));
    await log.append(appendAt(log, conversation, emptyHead, [row], { lists: writes }));
    const expectListed = async (store: ConversationLists): Promise<void> => {
      for (const userId of [one, other]) {
        expect(await store.one(userId, conversation)).toMatchObject({ lastSeq: 1, lastSender: row.senderId });
      }
    };
    await expectListed(lists);
    await expectListed((await harness.reopen()).lists);
  });

  test("receipts are there when the append resolves, also for the next process, and never lower a watermark", async () => {
    await using harness = await makeHarness();
    const { log, receipts } = harness.store;
    const [conversationId, userId] = [newId(), newId()];
    const rows = await fill(log, conversationId, 2);
    const end = headAfter(rows[1] as LogRow);
    await receipts.write([{ conversationId, userId, recv: { seq: 2, at: 20 } }]);
    const write = { conversationId, userId, recv: { seq: 1, at: 30 }, read: { seq: 1, at: 30 } };
    expect(await log.append(appendAt(log, conversationId, end, [rowAt(3)], { receipts: [write] }))).toEqual({
      outcome: "appended",
    });
    const expected = { userId, recvSeq: 2, recvAt: 20, readSeq: 1, readAt: 30 };
    expect(await receipts.one(conversationId, userId)).toEqual(expected);
    expect(await (await harness.reopen()).receipts.one(conversationId, userId)).toEqual(expected);
  });

  test("an append that conflicts writes no receipt", async () => {
    await using harness = await makeHarness();
    const { log, receipts } = harness.store;
    const [conversationId, userId] = [newId(), newId()];
    await fill(log, conversationId, 2);
    const write = { conversationId, userId, recv: { seq: 2, at: 30 } };
    const refused = appendAt(log, conversationId, emptyHead, [rowAt(1)], { receipts: [write] });
    expect(decided(await log.append(refused))).toBe("conflict");
    expect(await receipts.one(conversationId, userId)).toBeUndefined();
  });

  test("an append that conflicts writes no list row", async () => {
    await using harness = await makeHarness();
    const { log, lists } = harness.store;
    const [conversation, user] = [newId(), newId()];
    await fill(log, conversation, 2);
    const refused = rowAt(1);
    const write = listWrite(user, conversation, refused);
    const outcome = await log.append(appendAt(log, conversation, emptyHead, [refused], { lists: [write] }));
    expect(decided(outcome)).toBe("conflict");
    expect(await lists.one(user, conversation)).toBeUndefined();
  });

  test("a list row follows the highest seq, whatever order the repairs come in", async () => {
    await using harness = await makeHarness();
    const { log, lists } = harness.store;
    const [conversation, user] = [newId(), newId()];
    for (const seq of [5, 9, 7, 2]) {
      await log.writeLists([listWrite(user, conversation, rowAt(seq))]);
    }
    expect(await lists.one(user, conversation)).toMatchObject({ lastSeq: 9, lastUcount: 5 });
    await log.writeLists([]);
  });
}

function describeRaces(makeHarness: MakeDurableHarness<LogStores>): void {
  test("of many who append at one head exactly one does, and the others hear it", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const [first] = await fill(log, conversation, 1);
    const rivals = Array.from({ length: 16 }, () => rowAt(2));
    const end = headAfter(first as LogRow);
    const outcomes = await Promise.all(rivals.map((row) => log.append(appendAt(log, conversation, end, [row]))));
    expect(outcomes.map(decided).filter((outcome) => outcome === "appended")).toHaveLength(1);
    const winner = rivals[outcomes.findIndex(({ outcome }) => outcome === "appended")] as LogRow;
    expect((await readLog(log, conversation)).map(plain)).toEqual([first as LogRow, winner].map(plain));
  });

  test("rivals over many borders leave a gapless log with every appended row once", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversation = newId();
    const appended: LogRow[] = [];
    const rival = async (): Promise<void> => {
      for (let tries = 0; tries < 12; tries++) {
        const newest = await log.newestBucket(conversation, 0, "serial");
        const end = newest?.head ?? emptyHead;
        const row = rowAt(end.head + 1);
        if (decided(await log.append(appendAt(log, conversation, end, [row]))) === "appended") appended.push(row);
      }
    };
    await Promise.all([rival(), rival(), rival(), rival()]);
    const read = await readLog(log, conversation);
    expect(read.map(({ seq }) => seq)).toEqual(read.map((_, index) => index + 1));
    expect(read.map(plain)).toEqual(appended.toSorted((one, other) => one.seq - other.seq).map(plain));
    expect(appended.length).toBeGreaterThanOrEqual(12);
  });

  test("a read that begins after an append resolved shows it, while others append", async () => {
    await using harness = await makeHarness();
    const { log } = harness.store;
    const conversations = Array.from({ length: 20 }, () => newId());
    await Promise.all(
      conversations.map(async (conversation) => {
        let end = emptyHead;
        for (let seq = 1; seq <= 6; seq++) {
          const row = rowAt(seq);
          expect(decided(await log.append(appendAt(log, conversation, end, [row])))).toBe("appended");
          end = headAfter(row);
          expect((await log.newestBucket(conversation, 0, "latest"))?.head).toEqual(end);
        }
      }),
    );
  });
}

/** Stores may answer a conflict without saying what the end is; what they say must be true. */
function expectActual(outcome: AppendOutcome, actual: LogHead): void {
  expect([undefined, actual]).toContainEqual(outcome.outcome === "conflict" ? outcome.actual : outcome);
}

/** Rows for comparison: byte arrays of any class, by their bytes. */
function plain(row: LogRow): object {
  return { ...row, envelope: Buffer.from(row.envelope).toString("base64") };
}
