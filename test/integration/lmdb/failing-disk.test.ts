import { constants } from "node:os";
import { open } from "lmdb";
import { expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { emptyHead, type LogRow } from "../../../src/core/model.ts";
import { Environment } from "../../../src/stores/lmdb/environment.ts";
import { GroupCommit } from "../../../src/stores/lmdb/group-commit.ts";
import type { Key } from "../../../src/stores/lmdb/keys.ts";
import { createLmdbMessageLog } from "../../../src/stores/lmdb/message-log.ts";
import { rawOptions, type RawRoot } from "../../../src/stores/lmdb/raw-database.ts";
import { Snapshot } from "../../../src/stores/lmdb/snapshot.ts";
import { newId } from "../../contract/durable-harness.ts";
import { appendAt, fill, headAfter, readLog, rowAt } from "../../contract/log-fixture.ts";
import { temporaryFolder } from "./folder.ts";

/** A real database whose commits fail, when told to, the way the driver reports it: a true disk cannot be made to. */
async function failingEnvironment(path: string): Promise<{ environment: Environment; fail: { with?: number } }> {
  const root = open<Buffer, Key>({ path, noSubdir: false, maxDbs: 40, overlappingSync: false, ...rawOptions });
  const fail: { with?: number } = {};
  const files: Pick<RawRoot, "batch"> = {
    batch(action) {
      if (fail.with === undefined) return root.batch(action);
      const cause = Object.assign(new Error("write error"), { code: fail.with });
      return Promise.reject(Object.assign(new Error("Commit failed"), { commitError: Promise.reject(cause) }));
    },
  };
  const snapshot = Snapshot.open(root);
  const writer = new GroupCommit(files, snapshot, {
    clock: systemClock,
    commitTimeoutMs: 10_000,
    operationsPerCommitMax: 100,
    operationsWaitingMax: 100,
    growthBytesMax: () => Number.POSITIVE_INFINITY,
  });
  const environment = new Environment({ bucketRows: 4, root, snapshot, writer, release: () => undefined });
  return { environment, fail };
}

test("a commit for which there was no room takes down everything in it, and nothing else", async () => {
  await using folder = await temporaryFolder();
  const { environment, fail } = await failingEnvironment(folder.path);
  await using _ = environment;
  const log = createLmdbMessageLog(environment);
  const conversation = newId();
  const [first] = (await fill(log, conversation, 1)) as [LogRow];
  const [second, third] = [rowAt(2), rowAt(3)];
  const appendBoth = (): Promise<unknown>[] => [
    log.append(appendAt(log, conversation, headAfter(first), [second])),
    // Builds on the one before it; and one that is refused because of it.
    log.append(appendAt(log, conversation, headAfter(second), [third])),
    log.append(appendAt(log, conversation, emptyHead, [rowAt(1)])),
  ];
  fail.with = constants.errno.ENOSPC;
  const refused = await Promise.allSettled(appendBoth());
  const full = {
    status: "rejected",
    reason: expect.objectContaining({ code: "storage_full", undecided: false }) as unknown,
  };
  expect(refused).toEqual([full, full, full]);
  expect((await log.newestBucket(conversation, 0, "serial"))?.head).toEqual(headAfter(first));
  expect(await readLog(log, conversation)).toHaveLength(1);

  delete fail.with;
  expect(await Promise.all(appendBoth())).toMatchObject([
    { outcome: "appended" },
    { outcome: "appended" },
    { outcome: "conflict", actual: headAfter(third) },
  ]);
  expect((await readLog(log, conversation)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
});

test("after an error of the disk the outcome is open, and the process makes no more promises", async () => {
  await using folder = await temporaryFolder();
  const { environment, fail } = await failingEnvironment(folder.path);
  await using _ = environment;
  const log = createLmdbMessageLog(environment);
  const conversation = newId();
  const [first] = (await fill(log, conversation, 1)) as [LogRow];
  const next = appendAt(log, conversation, headAfter(first), [rowAt(2)]);
  fail.with = constants.errno.EIO;
  expect(await log.append(next)).toEqual({ outcome: "undecided" });
  delete fail.with;
  const unavailable = { code: "store_unavailable", undecided: false };
  await expect(log.append(next)).rejects.toMatchObject(unavailable);
  await expect(log.writeLists([])).rejects.toMatchObject(unavailable);
  await expect(log.newestBucket(conversation, 0, "serial")).rejects.toMatchObject(unavailable);
  expect((await log.newestBucket(conversation, 0, "latest"))?.head).toEqual(headAfter(first));
});
