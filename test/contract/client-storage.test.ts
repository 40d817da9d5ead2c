import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chat, group, messageIdOf, peer, registersOf, rowOf } from "../helpers/scripted-machine.ts";
import type { Change, ConversationRecord, OutboxEntry } from "../../src/client/machine/types.ts";
import { openJournalStorage } from "../../src/client/storage/journal.ts";
import { MemoryStorage } from "../../src/client/storage/memory.ts";
import type { ClientStorage } from "../../src/client/storage/types.ts";

let folder: string;
const open: ClientStorage[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "msgr-storage-"));
});

afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close().catch(() => undefined);
  await rm(folder, { recursive: true });
});

async function openJournal(at = folder, compactBytesMin?: number): Promise<ClientStorage> {
  const storage = await openJournalStorage(
    compactBytesMin === undefined ? { folder: at } : { folder: at, compactBytesMin },
  );
  open.push(storage);
  return storage;
}

function recordOf(conversationId: string, filled: number): ConversationRecord {
  return {
    conversationId,
    kind: "direct",
    peerId: peer,
    name: undefined,
    start: 1,
    filled,
    runs: [[filled + 5, filled + 9]],
    proven: 0,
    foreign: filled,
    viewed: 0,
    head: filled + 9,
    told: true,
    registers: registersOf({ recv_seq: filled }),
  };
}

function entryOf(order: number): OutboxEntry {
  return {
    messageId: messageIdOf(order),
    conversationId: chat,
    to: { user: peer },
    since: order,
    readFrom: undefined,
    read: undefined,
    kind: 1,
    mediaId: undefined,
    envelope: "eA==",
    createdAt: 5,
    order,
    state: "pending",
    errorCode: undefined,
  };
}

const rowChange = (seq: number): Change => ({ conversation: recordOf(chat, seq), rows: [rowOf(seq)] });

describe.each([
  ["memory", () => Promise.resolve<ClientStorage>(new MemoryStorage())],
  ["journal", () => openJournal()],
])("client storage: %s", (_name, make) => {
  test("what was written is read at once, whether durable or not", async () => {
    const storage = await make();
    storage.write(rowChange(1));
    storage.write({ outboxPut: entryOf(1) });
    storage.write({ outboxPut: entryOf(2) });
    storage.write({ outboxRemove: messageIdOf(1) });
    storage.setDraft(group, "unfinished");
    expect(storage.load()).toEqual({ conversations: [recordOf(chat, 1)], outbox: [entryOf(2)] });
    expect(storage.draft(group)).toBe("unfinished");
    storage.setDraft(group, "");
    expect(storage.draft(group)).toBe("");
    await storage.flush();
  });

  test("rows come ascending, the newest of those asked for, whatever the order of writing", async () => {
    const storage = await make();
    for (const seq of [5, 6, 2, 3, 9, 3, 1]) storage.write(rowChange(seq));
    expect(storage.rows(chat, 3).map((row) => row.seq)).toEqual([5, 6, 9]);
    expect(storage.rows(chat, 3, 5).map((row) => row.seq)).toEqual([1, 2, 3]);
    expect(storage.rows(chat, 9, 1)).toEqual([]);
    expect(storage.rows(group, 3)).toEqual([]);
  });

  test("rows that were dropped do not come back, and those of other conversations stay", async () => {
    const storage = await make();
    for (const seq of [1, 2]) storage.write(rowChange(seq));
    storage.write({ conversation: recordOf(group, 1), rows: [rowOf(1)] });
    storage.write({ conversation: recordOf(chat, 0), rowsCleared: true });
    storage.write(rowChange(7));
    expect(storage.rows(chat, 9).map((row) => row.seq)).toEqual([7]);
    expect(storage.rows(group, 9).map((row) => row.seq)).toEqual([1]);
    await storage.flush();
  });

  test("every change is reported durable, by count, before flush resolves", async () => {
    const storage = await make();
    let reported = 0;
    storage.onDurable((changes) => (reported = changes));
    let atOnce = 0;
    for (let seq = 1; seq <= 20; seq++) if (storage.write(rowChange(seq))) atOnce++;
    await storage.flush();
    expect(Math.max(atOnce, reported)).toBe(20);
  });

  test("closing twice is closing once", async () => {
    const storage = await make();
    storage.write(rowChange(1));
    await storage.close();
    await expect(storage.close()).resolves.toBeUndefined();
  });
});

describe("the journal", () => {
  /** Journal bytes and, after each change, how long the file was and what it held. */
  async function recorded(): Promise<{ path: string; lengths: number[]; states: unknown[] }> {
    const storage = await openJournal();
    const path = join(folder, "journal.0");
    const lengths = [(await stat(path)).size];
    const states: unknown[] = [{ device: storage.load(), rows: storage.rows(chat, 100) }];
    const changes: Change[] = [rowChange(1), { outboxPut: entryOf(1) }, rowChange(2), { outboxRemove: messageIdOf(1) }];
    for (const change of changes) {
      storage.write(change);
      await storage.flush();
      lengths.push((await stat(path)).size);
      states.push({ device: storage.load(), rows: storage.rows(chat, 100) });
    }
    await storage.close();
    return { path, lengths, states };
  }

  test("cut off at any byte, it opens with every change that was whole, and goes on from there", async () => {
    const { path, lengths, states } = await recorded();
    const whole = await readFile(path);
    const again = join(folder, "again");
    await mkdir(again);
    const step = 7;
    const cuts = new Set([...lengths, ...lengths.map((length) => length - 1), ...lengths.map((length) => length + 1)]);
    for (let cut = 0; cut <= whole.length; cut += step) cuts.add(cut);
    for (const cut of cuts) {
      if (cut > whole.length) continue;
      await writeFile(join(again, "journal.0"), whole.subarray(0, cut));
      const storage = await openJournal(again);
      const count = lengths.filter((length) => length <= cut).length;
      expect({ device: storage.load(), rows: storage.rows(chat, 100) }).toEqual(states[Math.max(0, count - 1)]);
      storage.write(rowChange(3));
      await storage.close();
      const after = await openJournal(again);
      expect(after.rows(chat, 1)).toEqual([rowOf(3)]);
      await after.close();
    }
  });

  test("garbage after the last record is cut off; damage before a whole record is not taken for a crash", async () => {
    const { path, lengths, states } = await recorded();
    await appendFile(path, Buffer.alloc(100, 0xff));
    const storage = await openJournal();
    expect({ device: storage.load(), rows: storage.rows(chat, 100) }).toEqual(states.at(-1));
    await storage.close();
    expect((await stat(path)).size).toBe(lengths.at(-1));
    const content = await readFile(path);
    content.writeUInt8(content.readUInt8((lengths[1] as number) - 3) ^ 1, (lengths[1] as number) - 3);
    await writeFile(path, content);
    await expect(openJournal()).rejects.toMatchObject({ code: "corrupt" });
  });

  test("a file of a newer version, or of something else, is refused and left alone", async () => {
    const path = join(folder, "journal.0");
    for (const [content, code] of [
      ["msgr-client-journal 99\nxyz", "newer_version"],
      ["something else altogether", "corrupt"],
    ]) {
      await writeFile(path, content as string);
      await expect(openJournal()).rejects.toMatchObject({ code });
      expect(await readFile(path, "utf8")).toBe(content);
    }
  });

  test("compaction keeps everything, shrinks the file and leaves one generation, whenever it happens", async () => {
    const storage = await openJournal(folder, 2_000);
    let reported = 0;
    storage.onDurable((changes) => (reported = changes));
    for (let order = 1; order <= 300; order++) {
      storage.write({ outboxPut: entryOf(order) });
      storage.write({ outboxRemove: messageIdOf(order) });
      if (order % 10 === 0) storage.write(rowChange(order / 10));
      if (order % 7 === 0) await storage.flush();
    }
    await storage.flush();
    expect(reported).toBe(630);
    const before = { device: storage.load(), rows: storage.rows(chat, 100) };
    await storage.close();
    const names = (await readdir(folder)).filter((name) => name.startsWith("journal"));
    expect(names).toHaveLength(1);
    expect(names).not.toEqual(["journal.0"]);
    expect((await stat(join(folder, names[0] as string))).size).toBeLessThan(40_000);
    const after = await openJournal();
    expect({ device: after.load(), rows: after.rows(chat, 100) }).toEqual(before);
    expect(before.rows).toHaveLength(30);
  });

  test("a crash in the middle of a compaction leaves the old generation; one after it, the new one", async () => {
    const { path, states } = await recorded();
    await writeFile(join(folder, "journal.1.new"), "half of a snap");
    const first = await openJournal();
    expect({ device: first.load(), rows: first.rows(chat, 100) }).toEqual(states.at(-1));
    await first.close();
    await copyFile(path, join(folder, "journal.1"));
    await truncate(path, 10);
    const second = await openJournal();
    expect({ device: second.load(), rows: second.rows(chat, 100) }).toEqual(states.at(-1));
    expect((await readdir(folder)).sort()).toEqual(["journal.1", "lock"]);
  });

  test("a folder has one owner at a time; a dead one's lock does not count", async () => {
    const first = await openJournal();
    await expect(openJournal()).rejects.toMatchObject({ code: "locked" });
    await first.close();
    await writeFile(join(folder, "lock"), "1\n");
    await expect(openJournal()).rejects.toMatchObject({ code: "locked" });
    await writeFile(join(folder, "lock"), `${2 ** 22 + 1}\n`);
    const second = await openJournal();
    second.write(rowChange(1));
    await second.flush();
  });

  test("nobody else may read it", async () => {
    const inner = join(folder, "account");
    await openJournal(inner);
    expect((await stat(inner)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(inner)) expect((await stat(join(inner, name))).mode & 0o777).toBe(0o600);
  });

  test("a full disk is told, stops everything, and costs nothing that was durable", () => {
    const script = join(import.meta.dirname, "..", "helpers", "fill-journal.ts");
    // 16 blocks of 1,024 bytes: the process may write no longer file.
    const command = `ulimit -f 16 && exec "$0" --no-warnings "$1" "$2"`;
    const output = execFileSync("bash", ["-c", command, process.execPath, script, folder], { encoding: "utf8" });
    const told = JSON.parse(output) as { flushed: boolean; durable: number; failure: string; left: number };
    expect(told).toMatchObject({ flushed: false, failure: "write_failed" });
    expect(told.durable).toBeGreaterThan(5);
    expect(told.left).toBe(told.durable);
  });
});
