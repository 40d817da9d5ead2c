import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { deviceField, timeField, uuidField } from "../../protocol/fields.ts";
import { CliError } from "../cli-error.ts";

/** The accounts of this machine: who is logged in where, with which device and tokens. */
const tokensSchema = z.object({
  access_token: z.string().min(1),
  access_expires_at: timeField,
  refresh_token: z.string().min(1),
});

const accountSchema = z.object({
  server: z.url(),
  handle: z.string(),
  user_id: uuidField,
  /** Kept after a logout, so that the next login is the same device with the same local messages. */
  device: deviceField,
  tokens: tokensSchema.optional(),
});

const fileSchema = z.object({
  version: z.literal(1),
  current: z.string().optional(),
  accounts: z.record(z.string(), accountSchema),
});

export type Account = z.infer<typeof accountSchema>;
export type AccountFile = z.infer<typeof fileSchema>;

const emptyFile: AccountFile = { version: 1, accounts: {} };

/** Nobody has logged in yet = an empty file. Throws CliError when the file is not one of ours. */
export async function readAccountFile(file: string): Promise<AccountFile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return emptyFile;
    throw unreadable(file, error);
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** Atomically, for this user's eyes only: at any crash the old or the new file is there, whole. */
export async function writeAccountFile(file: string, content: AccountFile): Promise<void> {
  await writePrivately(file, `${JSON.stringify(content, undefined, 2)}\n`);
}

/** Writes beside, syncs, renames into place, syncs the folder; the file is 0600 and its folder, if made, 0700. */
export async function writePrivately(file: string, text: string): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = `${file}.${process.pid}.new`;
  try {
    const handle = await open(beside, "w", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Makes renames and removals in the folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function unreadable(file: string, cause: unknown): CliError {
  return new CliError("configuration", `${file} is not a readable list of accounts.`, {
    fix: "Check its permissions; if it is damaged, move it away and log in again (no message is lost).",
    cause,
  });
}
