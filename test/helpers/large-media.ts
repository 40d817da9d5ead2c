import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { requestJson } from "../../src/client/runtime/http.ts";
import type { MediaReference } from "../../src/client/runtime/media-upload.ts";
import type { MediaSource } from "../../src/client/runtime/media-source.ts";
import { MediaTransfers } from "../../src/client/runtime/media-transfers.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { ServerProcess, TestUser } from "./server-process.ts";

/** By how much a server may grow while the largest media passes, bytes. */
export const growthBytesMax = 64 * 1024 * 1024;

const byteAt = (at: number): number => (at ^ (at >>> 8) ^ (at >>> 16)) & 0xff;

/** The largest that there may be. Every byte says where it stands, and nothing of it is kept. */
export const largeMedia: MediaSource = {
  sizeBytes: limits.mediaBytesMax,
  async read(fromByte, toByte) {
    const bytes = Buffer.allocUnsafe(toByte - fromByte);
    for (let at = 0; at < bytes.length; at++) bytes[at] = byteAt(fromByte + at);
    return bytes;
  },
};

/** The largest resident set that the process had since `settledBytes`, as the kernel counts it. */
function peakBytes(pid: number): number {
  const [, kib = "0"] = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

/** Resident now, after a collection. What starting took for a moment is forgotten (proc(5), clear_refs). */
async function settledBytes(server: ServerProcess): Promise<number> {
  const response = await server.admin("GET", "/admin/memory");
  writeFileSync(`/proc/${server.pid}/clear_refs`, "5");
  return ((await response.json()) as { rss_bytes: number }).rss_bytes;
}

export interface LargePassage {
  readonly reference: MediaReference;
  /** SHA-256 of what came down. */
  readonly sha256: string;
  /** How much the server grew at most, bytes: until it was up, and in all. */
  readonly growthBytes: readonly [up: number, all: number];
}

/** The largest media goes up and down through a server, as a client has it done. */
export async function passLargeMedia(server: ServerProcess, { token }: TestUser): Promise<LargePassage> {
  const transfers = new MediaTransfers(
    (request) => requestJson({ url: server.url }, { ...request, accessToken: token }),
    { clock: systemClock, random: createSystemRandom() },
  );
  const before = await settledBytes(server);
  const reference = await transfers.upload(largeMedia);
  const afterUpload = peakBytes(server.pid);
  const hash = createHash("sha256");
  for await (const piece of transfers.download(reference)) hash.update(piece);
  const growthBytes = [afterUpload - before, peakBytes(server.pid) - before] as const;
  const [up, all] = growthBytes.map((bytes) => Math.round(bytes / 1024 / 1024));
  process.stdout.write(`      server grew by ${up} MiB for the upload, ${all} MiB in all\n`);
  return { reference, sha256: hash.digest("hex"), growthBytes };
}
