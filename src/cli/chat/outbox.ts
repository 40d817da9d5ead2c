import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { kindField, timeField, uuidField, uuidV7Field, watermarkField } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { syncFolder, writePrivately } from "../accounts/account-file.ts";
import { waitForLock } from "../accounts/account-store.ts";

/**
 * Messages that `chat send` has begun to send and has no answer for: one file each, written before the first attempt with
 * the message_id and `since` that every later attempt repeats, removed with the answer. Used under the folder's lock, so
 * whatever is found there was left by a process that died or gave up.
 */
const entrySchema = z.object({
  message_id: uuidV7Field,
  to: z.union([z.object({ user: uuidField }), z.object({ conversation: uuidField })]),
  conversation_id: uuidField,
  since: watermarkField,
  kind: kindField,
  envelope: z.string(),
  created_at: timeField,
  /** As the user named the chat, for messages about it. */
  label: z.string(),
});

export type OutboxEntry = z.infer<typeof entrySchema>;

/** Nothing is taken while so many wait: a server that never answers must not fill the disk. */
export const outboxEntriesMax = 1_000;

export class Outbox {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Runs `work` while no other process uses this outbox. Throws CliError `locked` when that takes too long. */
  async exclusively<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    const lock = await waitForLock(this.#folder, timeoutMs);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }

  /** What is left, oldest first (UUIDv7 sort by time). A file that is no entry is not ours to judge. */
  async entries(): Promise<readonly OutboxEntry[]> {
    const files = (await readdir(this.#folder).catch(() => [])).filter((name) => name.endsWith(".json")).toSorted();
    const entries: OutboxEntry[] = [];
    for (const name of files) {
      const parsed = entrySchema.safeParse(parseJson(await readFile(path.join(this.#folder, name), "utf8")));
      if (parsed.success) entries.push(parsed.data);
    }
    return entries;
  }

  /** Durable when it resolves. */
  put(entry: OutboxEntry): Promise<void> {
    return writePrivately(this.#fileOf(entry.message_id), JSON.stringify(entry));
  }

  async remove(messageId: Uuid): Promise<void> {
    await rm(this.#fileOf(messageId), { force: true });
    await syncFolder(this.#folder);
  }

  #fileOf(messageId: Uuid): string {
    return path.join(this.#folder, `${messageId}.json`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
