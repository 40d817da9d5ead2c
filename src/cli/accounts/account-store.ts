import { mkdir } from "node:fs/promises";
import path from "node:path";
import { lockFolder, type FolderLock } from "../../client/storage/folder-lock.ts";
import { StorageError } from "../../client/storage/types.ts";
import { CliError } from "../cli-error.ts";
import { readAccountFile, writeAccountFile, type Account, type AccountFile } from "./account-file.ts";

const lockPollMs = 25;
/** Longer than a refresh may take, which is done under the lock. */
const lockTimeoutMs = 30_000;

/**
 * The file of accounts, shared by every msgr process of this user. Reading needs no lock, since the file is replaced as a
 * whole; changes are read-modify-write under one, which a token refresh also holds: a refresh token works once.
 */
export class AccountStore {
  /** Of everything msgr keeps for this user. */
  readonly folder: string;

  constructor(stateFolder: string) {
    this.folder = stateFolder;
  }

  get file(): string {
    return path.join(this.folder, "accounts.json");
  }

  /** Where a device keeps its messages. Tied to user and device, so that a renamed account finds them again. */
  deviceFolder(account: Account): string {
    return path.join(this.folder, "devices", `${account.user_id}.${account.device}`);
  }

  read(): Promise<AccountFile> {
    return readAccountFile(this.file);
  }

  /** Changes the file while nobody else does. `change` gets what is in it now and answers what shall be, or undefined. */
  async update(change: (content: AccountFile) => Promise<AccountFile | undefined>): Promise<void> {
    const lock = await waitForLock(this.folder, lockTimeoutMs);
    try {
      const next = await change(await this.read());
      if (next !== undefined) await writeAccountFile(this.file, next);
    } finally {
      await lock.release();
    }
  }
}

/** Waits for the folder's lock. Throws CliError `locked` after `timeoutMs`, naming the owner. */
export async function waitForLock(folder: string, timeoutMs: number): Promise<FolderLock> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      if (performance.now() >= until) {
        const fix = `Wait for the other msgr to finish; if there is none, delete ${path.join(folder, "lock")}.`;
        throw new CliError("locked", error.message, { fix, cause: error });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, lockPollMs));
  }
}
