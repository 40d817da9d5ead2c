import { createReadStream, createWriteStream } from "node:fs";
import { link, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { WireError } from "../../protocol/wire-errors.ts";
import { systemCode } from "./file-error.ts";
import { makeParent, syncFolder } from "./media-folder.ts";

/** Of each stream: what one upload or download holds in memory, several times. */
export const streamBytes = 256 * 1024;

/**
 * Writes exactly `sizeBytes` bytes into a new file and to the disk. Rejects with `bad_request` when fewer or more come,
 * with the signal's reason, or with what the system or `body` said; the file is gone then.
 */
export async function writeFile(
  file: string,
  body: Readable | AsyncIterable<Uint8Array>,
  sizeBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const sink = createWriteStream(file, { flags: "wx", mode: 0o600, flush: true, highWaterMark: streamBytes });
  try {
    await pipeline(body, (source: AsyncIterable<Uint8Array>) => exactly(source, sizeBytes), sink, { signal });
  } catch (error) {
    // A body can fail before the file is even open: removed sooner, it would come into being afterwards.
    if (!sink.closed) await new Promise<void>((closed) => void sink.once("close", () => closed()));
    await rm(file, { force: true });
    throw signal.aborted ? signal.reason : error;
  }
}

async function* exactly(source: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncIterable<Uint8Array> {
  let count = 0;
  for await (const piece of source) {
    count += piece.length;
    if (count > sizeBytes) throw new WireError("bad_request", { detail: `body: more than ${sizeBytes} bytes` });
    yield piece;
  }
  if (count < sizeBytes) throw new WireError("bad_request", { detail: `body: ${count} of ${sizeBytes} bytes` });
}

/** Everything that the files hold, one after the other, a piece at a time. */
export async function* concatenated(files: readonly string[]): AsyncIterable<Uint8Array> {
  for (const file of files) yield* createReadStream(file, { highWaterMark: streamBytes }) as AsyncIterable<Uint8Array>;
}

/**
 * Gives a file that is on the disk its name, unless there is one of that name: then it answers false. Either way the
 * old path is gone; what it answers survives a loss of power.
 */
export async function publish(file: string, target: string): Promise<boolean> {
  let isNew = true;
  try {
    await makeParent(target);
    // A link, since renaming would overwrite.
    await link(file, target);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    isNew = false;
  } finally {
    await rm(file, { force: true });
  }
  await syncFolder(path.dirname(target));
  return isNew;
}
