import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { PageRow } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Change, StoredDevice } from "../machine/types.ts";
import { lockFolder, type FolderLock } from "./folder-lock.ts";
import { checkHeader, encodeRecord, journalHeader, scanJournal } from "./journal-format.ts";
import { StoredState, type StoredChange } from "./stored-state.ts";
import { StorageError, type ClientStorage } from "./types.ts";

/**
 * One folder, one process, one append-only file `journal.<generation>`; everything is also in memory. Writes that arrive
 * while an fsync runs share the next one. When the file has become much larger than what it says, the state is written as
 * the next generation, synced, renamed into place, and the old file removed: at any crash one whole generation is there.
 *
 *   open → (write → waiting → appended and synced → durable)* → closed
 *                                                  ↘ failed (disk full, gone): nothing is durable any more
 */
export interface JournalOptions {
  /** Made if missing, 0700; the files are 0600. */
  readonly folder: string;
  /** A file is compacted when it exceeds this and twice its size after the last compaction. */
  readonly compactBytesMin?: number;
}

const compactBytesMinDefault = 4 * 1024 * 1024;
const snapshotRowsMax = 1_024;

/** Rejects with StorageError: locked, corrupt, newer_version. */
export async function openJournalStorage(options: JournalOptions): Promise<ClientStorage> {
  const { folder } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(folder);
  try {
    return await openLocked(options, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function openLocked(options: JournalOptions, lock: FolderLock): Promise<ClientStorage> {
  const { folder } = options;
  const state = new StoredState();
  const generation = await newestGeneration(folder);
  const path = join(folder, `journal.${generation}`);
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const goodBytes = await replay(await readFile(path), path, file, state);
    await syncFolder(folder);
    const compactBytesMin = options.compactBytesMin ?? compactBytesMinDefault;
    return new JournalStorage({ folder, lock, state, generation, file, bytes: goodBytes, compactBytesMin });
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Applies what the file holds, cuts a torn tail off, answers the length that is left. */
async function replay(content: Buffer, path: string, file: FileHandle, state: StoredState): Promise<number> {
  const header = checkHeader(content);
  if (header === "newer") {
    throw new StorageError("newer_version", `${path} was written by a newer client.`, "Update this client.");
  }
  if (header === "foreign") throw corrupt(path);
  if (header === "torn") {
    await file.truncate(0);
    await writeAll(file, journalHeader, 0);
    await file.datasync();
    return journalHeader.length;
  }
  const scan = scanJournal(content);
  if (scan.corrupt) throw corrupt(path);
  for (const change of scan.changes) state.apply(change);
  if (scan.goodBytes < content.length) {
    await file.truncate(scan.goodBytes);
    await file.datasync();
  }
  return scan.goodBytes;
}

/** The highest generation in the folder; older and unfinished ones are removed. */
async function newestGeneration(folder: string): Promise<number> {
  let newest = 0;
  const names = await readdir(folder);
  for (const name of names) {
    const match = /^journal\.(\d+)$/.exec(name);
    if (match !== null) newest = Math.max(newest, Number(match[1]));
  }
  for (const name of names) {
    if (name.startsWith("journal.") && name !== `journal.${newest}`) await rm(join(folder, name), { force: true });
  }
  return newest;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  await handle.sync();
  await handle.close();
}

function corrupt(path: string): StorageError {
  return new StorageError(
    "corrupt",
    `${path} is damaged.`,
    "Restore it from a backup, or remove the folder: what was sent is on the server and comes back by syncing.",
  );
}

/** A whole file in one step: nobody sees it under its name before it is complete and on the disk. */
async function writeGeneration(
  folder: string,
  generation: number,
  chunks: readonly Buffer[],
): Promise<{ file: FileHandle; bytes: number }> {
  const path = join(folder, `journal.${generation}`);
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    let bytes = 0;
    for (const chunk of chunks) {
      await writeAll(file, chunk, bytes);
      bytes += chunk.length;
    }
    await file.datasync();
    await rename(temporary, path);
    await syncFolder(folder);
    return { file, bytes };
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

function encodeSnapshot(state: StoredState): Buffer[] {
  const chunks: Buffer[] = [journalHeader];
  for (const change of state.snapshot(snapshotRowsMax)) chunks.push(encodeRecord(change));
  return chunks;
}

async function writeAll(file: FileHandle, content: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < content.length) {
    const result = await file.write(content, written, content.length - written, position + written);
    written += result.bytesWritten;
  }
}

interface JournalStorageParts {
  readonly folder: string;
  readonly lock: FolderLock;
  readonly state: StoredState;
  readonly generation: number;
  readonly file: FileHandle;
  readonly bytes: number;
  readonly compactBytesMin: number;
}

class JournalStorage implements ClientStorage {
  readonly #folder: string;
  readonly #lock: FolderLock;
  readonly #state: StoredState;
  readonly #compactBytesMin: number;
  #generation: number;
  #file: FileHandle;
  #bytes: number;
  #bytesAfterCompaction: number;

  #waiting: Buffer[] = [];
  #changesWritten = 0;
  #running: Promise<void> | undefined = undefined;
  #flushed: Deferred<void> | undefined = undefined;
  #failure: StorageError | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;
  #listener: (changes: number, failure: StorageError | undefined) => void = () => undefined;

  constructor(parts: JournalStorageParts) {
    this.#folder = parts.folder;
    this.#lock = parts.lock;
    this.#state = parts.state;
    this.#generation = parts.generation;
    this.#file = parts.file;
    this.#bytes = parts.bytes;
    this.#bytesAfterCompaction = 0;
    this.#compactBytesMin = parts.compactBytesMin;
  }

  load(): StoredDevice {
    return this.#state.device();
  }

  write(change: Change): boolean {
    this.#changesWritten++;
    this.#record(change);
    return false;
  }

  onDurable(listener: (changes: number, failure: StorageError | undefined) => void): void {
    this.#listener = listener;
  }

  rows(conversationId: Uuid, limit: number, before?: number): readonly PageRow[] {
    return this.#state.rows(conversationId, limit, before);
  }

  setDraft(conversationId: Uuid, text: string): void {
    this.#record({ draft: { conversationId, text } });
  }

  draft(conversationId: Uuid): string {
    return this.#state.draft(conversationId);
  }

  async flush(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#running === undefined) return;
    this.#flushed ??= createDeferred<void>();
    await this.#flushed.promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#running;
    const failure = this.#failure;
    this.#failure ??= new StorageError("closed", "The storage is closed.", "Open it again.");
    await this.#file.close();
    await this.#lock.release();
    if (failure !== undefined) throw failure;
  }

  #record(change: StoredChange): void {
    if (this.#failure !== undefined) return;
    this.#state.apply(change);
    this.#waiting.push(encodeRecord(change));
    this.#running ??= this.#run();
  }

  /** Appends and syncs until nothing waits. Never rejects: a failure is kept and told. */
  async #run(): Promise<void> {
    try {
      // Lets the rest of this turn's writes join the first batch.
      await Promise.resolve();
      while (this.#waiting.length > 0) await this.#appendBatch();
      this.#flushed?.resolve();
    } catch (error) {
      this.#fail(error);
    }
    this.#flushed = undefined;
    this.#running = undefined;
  }

  async #appendBatch(): Promise<void> {
    const batch = Buffer.concat(this.#waiting);
    this.#waiting = [];
    const changes = this.#changesWritten;
    await writeAll(this.#file, batch, this.#bytes);
    await this.#file.datasync();
    this.#bytes += batch.length;
    this.#listener(changes, undefined);
    if (this.#bytes > this.#compactBytesMin && this.#bytes > 2 * this.#bytesAfterCompaction) await this.#compact();
  }

  /** The snapshot is taken in one turn, so it is exactly the changes so far, those that still waited included. */
  async #compact(): Promise<void> {
    const changes = this.#changesWritten;
    const waited = this.#waiting;
    this.#waiting = [];
    const chunks = encodeSnapshot(this.#state);
    const generation = this.#generation + 1;
    try {
      const next = await writeGeneration(this.#folder, generation, chunks);
      const old = this.#file;
      this.#file = next.file;
      this.#bytes = next.bytes;
      await old.close();
      await rm(join(this.#folder, `journal.${this.#generation}`), { force: true });
      this.#generation = generation;
      this.#listener(changes, undefined);
    } catch {
      // Without room for a second copy the old file goes on; the next attempt waits until it has doubled.
      this.#waiting = [...waited, ...this.#waiting];
    }
    this.#bytesAfterCompaction = this.#bytes;
  }

  #fail(cause: unknown): void {
    const failure = new StorageError(
      "write_failed",
      `${this.#folder} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}`,
      "Free space or repair the disk, then start the client again; nothing that was not stored has been sent.",
      cause,
    );
    this.#failure = failure;
    this.#waiting = [];
    this.#flushed?.reject(failure);
    this.#listener(0, failure);
  }
}
