import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { emptyHead } from "../../../src/core/model.ts";
import type { AppendOutcome } from "../../../src/core/ports/message-log.ts";
import { createLmdbConversationLists } from "../../../src/stores/lmdb/conversation-lists.ts";
import type { Environment } from "../../../src/stores/lmdb/environment.ts";
import { uuidKey } from "../../../src/stores/lmdb/keys.ts";
import { createLmdbMessageLog } from "../../../src/stores/lmdb/message-log.ts";
import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";
import { packedTable } from "../../../src/stores/lmdb/packed-table.ts";
import { newId } from "../../contract/durable-harness.ts";
import { appendAt, fill, headAfter, listWrite, readLog, rowAt } from "../../contract/log-fixture.ts";
import { startChild } from "./children.ts";
import { temporaryFolder } from "./folder.ts";

const notes = packedTable<{ readonly text: string }>("users");

function put(environment: Environment, key: Buffer, text: string): Promise<void> {
  return environment.write((transaction) => transaction.put(notes, key, { text }));
}

test("an operation that throws writes nothing and disturbs none of those it was committed with", async () => {
  await using folder = await temporaryFolder();
  await using environment = await openEnvironment(folder.path);
  const [one, other] = [uuidKey(newId()), uuidKey(newId())];
  await put(environment, one, "before");
  const results = await Promise.allSettled([
    put(environment, other, "kept"),
    environment.write((transaction) => {
      transaction.put(notes, one, { text: "changed" });
      transaction.remove(notes, other);
      throw new Error("changed its mind");
    }),
    environment.write((transaction) => [transaction.get(notes, one)?.text, transaction.get(notes, other)?.text]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[2]).toMatchObject({ value: ["before", "kept"] });
  expect([environment.get(notes, one)?.text, environment.get(notes, other)?.text]).toEqual(["before", "kept"]);
});

test("operations see those before them, ranges included, and a reader sees none of it before it is durable", async () => {
  await using folder = await temporaryFolder();
  await using environment = await openEnvironment(folder.path);
  const keys = [1, 2, 3, 4].map((last) => Buffer.from([9, last]));
  const [first, second, third, fourth] = keys as [Buffer, Buffer, Buffer, Buffer];
  for (const key of [first, second, third]) await put(environment, key, "stored");
  const range = { start: Buffer.from([9]), end: Buffer.from([10]), entriesMax: 2 };
  const writes = environment.write((transaction) => {
    transaction.remove(notes, first);
    transaction.put(notes, third, { text: "changed" });
    transaction.put(notes, fourth, { text: "new" });
    const visible = environment.range(notes, { ...range, entriesMax: 9 }).map(({ value }) => value.text);
    return { visible, own: transaction.range(notes, range).map(({ key, value }) => [key[1], value.text]) };
  });
  const later = environment.write((transaction) => transaction.range(notes, { ...range, entriesMax: 9 }).length);
  expect(await writes).toEqual({
    visible: ["stored", "stored", "stored"],
    own: [
      [2, "stored"],
      [3, "changed"],
    ],
  });
  expect(await later).toBe(3);
});

test("when the cap is reached the answer is storage_full, and everything else goes on", async () => {
  await using folder = await temporaryFolder();
  const dataBytesMax = 1024 * 1024;
  const environment = await openEnvironment(folder.path, { dataBytesMax });
  const log = createLmdbMessageLog(environment);
  const lists = createLmdbConversationLists(environment);
  const [conversation, user] = [newId(), newId()];
  const first = rowAt(1);
  await log.append(appendAt(log, conversation, emptyHead, [first], { lists: [listWrite(user, conversation, first)] }));
  let head = headAfter(first);
  let error: unknown;
  while (error === undefined) {
    const row = rowAt(head.head + 1, { envelope: Buffer.alloc(30_000, head.head) });
    const listed = [listWrite(user, conversation, row)];
    const outcome: AppendOutcome | Error = await log
      .append(appendAt(log, conversation, head, [row], { lists: listed }))
      .catch((reason: Error) => reason);
    if (outcome instanceof Error) error = outcome;
    else head = headAfter(row);
  }
  expect(error).toMatchObject({ code: "storage_full", undecided: false, temporary: true });
  expect(head.head).toBeGreaterThan(20);

  // What was refused left nothing, and what is there can be read.
  expect((await log.newestBucket(conversation, 0, "serial"))?.head).toEqual(head);
  expect((await readLog(log, conversation, 50)).map(({ seq }) => seq)).toHaveLength(head.head);
  expect(await lists.one(user, conversation)).toMatchObject({ lastSeq: head.head });
  // Registers and rows that still fit are written.
  await lists.write([{ userId: user, conversationId: conversation, kind: "direct", read: { seq: 1, ucount: 1 } }]);
  const small = rowAt(head.head + 1, { envelope: Buffer.alloc(1) });
  expect(await log.append(appendAt(log, conversation, head, [small]))).toEqual({ outcome: "appended" });
  expect((await stat(join(folder.path, "data.mdb"))).size).toBeLessThan(dataBytesMax * 1.5);
  await environment.close();

  await using larger = await openEnvironment(folder.path, { dataBytesMax: dataBytesMax * 4 });
  const reopened = createLmdbMessageLog(larger);
  expect(await readLog(reopened, conversation, 50)).toHaveLength(head.head + 1);
  const next = rowAt(small.seq + 1, { envelope: Buffer.alloc(60_000) });
  const outcome = await reopened.append(appendAt(reopened, conversation, headAfter(small), [next]));
  expect(outcome).toEqual({ outcome: "appended" });
});

test("a disk with too little room is not written to, and is written to again when there is room", async () => {
  await using folder = await temporaryFolder();
  let freeBytes = 2 ** 40;
  await using environment = await openEnvironment(folder.path, { freeBytes: () => freeBytes });
  const log = createLmdbMessageLog(environment);
  const conversation = newId();
  const [row] = await fill(log, conversation, 1);
  if (row === undefined) throw new Error("no row");
  const next = appendAt(log, conversation, headAfter(row), [rowAt(2)]);
  for (const bytes of [60 * 1024 * 1024, 0]) {
    freeBytes = bytes;
    await expect(log.append(next)).rejects.toMatchObject({ code: "storage_full" });
  }
  expect(await readLog(log, conversation)).toHaveLength(1);
  freeBytes = 2 ** 40;
  expect(await log.append(next)).toEqual({ outcome: "appended" });
});

test("a commit that hangs is undecided, serial reads wait it out, and nothing follows a half state", async () => {
  await using folder = await temporaryFolder();
  await using environment = await openEnvironment(folder.path, { commitTimeoutMs: 150 });
  const log = createLmdbMessageLog(environment);
  const conversation = newId();
  const [row] = await fill(log, conversation, 1);
  if (row === undefined) throw new Error("no row");
  await using holder = startChild(new URL("./holder.ts", import.meta.url), folder.path, "1200");
  await holder.written(1);
  const hanging = appendAt(log, conversation, headAfter(row), [rowAt(2)]);
  const outcomes = await Promise.all([log.append(hanging), log.append(hanging)]);
  expect(outcomes).toEqual([{ outcome: "undecided" }, { outcome: "undecided" }]);
  // While it is open: no promise about the past, no new writes, but reads of what is known.
  const unavailable = { code: "store_unavailable", undecided: false };
  await expect(log.newestBucket(conversation, 0, "serial")).rejects.toMatchObject(unavailable);
  await expect(log.append(hanging)).rejects.toMatchObject(unavailable);
  expect((await log.newestBucket(conversation, 0, "latest"))?.head.head).toBe(1);

  await holder.ended();
  await expect.poll(() => log.newestBucket(conversation, 0, "serial"), { timeout: 3_000 }).toBeDefined();
  expect(await readLog(log, conversation)).toHaveLength(2);
  expect(await log.append(hanging)).toMatchObject({ outcome: "conflict" });
  const after = await log.append(appendAt(log, conversation, headAfter(hanging.rows[0] ?? row), [rowAt(3)]));
  expect(after).toEqual({ outcome: "appended" });
});

test("close waits for the writes it was given and refuses those that come later", async () => {
  await using folder = await temporaryFolder();
  const environment = await openEnvironment(folder.path);
  const keys = Array.from({ length: 500 }, () => uuidKey(newId()));
  const writes = keys.map((key) => put(environment, key, "in time"));
  const closed = environment.close();
  await expect(put(environment, uuidKey(newId()), "late")).rejects.toMatchObject({ code: "store_unavailable" });
  await Promise.all([...writes, closed, environment.close()]);
  expect(() => environment.get(notes, uuidKey(newId()))).toThrow(
    expect.objectContaining({ code: "store_unavailable" }),
  );
  await using reopened = await openEnvironment(folder.path);
  expect(keys.every((key) => reopened.get(notes, key)?.text === "in time")).toBe(true);
});

test("what waits beyond the bound is refused at once", async () => {
  await using folder = await temporaryFolder();
  await using environment = await openEnvironment(folder.path, { operationsWaitingMax: 10, operationsPerCommitMax: 3 });
  const writes = Array.from({ length: 12 }, (_, index) => put(environment, uuidKey(newId()), String(index)));
  const results = await Promise.allSettled(writes);
  expect(results.map(({ status }) => status)).toEqual([
    ...Array.from({ length: 10 }, () => "fulfilled"),
    "rejected",
    "rejected",
  ]);
});
