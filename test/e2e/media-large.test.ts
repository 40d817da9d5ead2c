import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { requestJson } from "../../src/client/runtime/http.ts";
import type { MediaSource } from "../../src/client/runtime/media-source.ts";
import { MediaTransfers } from "../../src/client/runtime/media-transfers.ts";
import { limits } from "../../src/protocol/limits.ts";
import { locate } from "../helpers/media.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const growthBytesMax = 64 * 1024 * 1024;
const folder = temporaryFolder();
let server: ServerProcess;
let alice: TestUser;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
  [alice] = (await server.createUsers(1)) as [TestUser];
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const sizeBytes = limits.mediaBytesMax;
/** Every byte says where it stands, and nothing of it is kept. */
const large: MediaSource = {
  sizeBytes,
  async read(fromByte, toByte) {
    const bytes = Buffer.allocUnsafe(toByte - fromByte);
    for (let at = 0; at < bytes.length; at++) bytes[at] = byteAt(fromByte + at);
    return bytes;
  },
};
const byteAt = (at: number): number => (at ^ (at >>> 8) ^ (at >>> 16)) & 0xff;

/** The largest resident set that the process ever had, as the kernel counts it. */
function peakBytes(pid: number): number {
  const [, kib = "0"] = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) * 1024;
}

async function settledBytes(): Promise<number> {
  const response = await server.admin("GET", "/admin/memory");
  return ((await response.json()) as { rss_bytes: number }).rss_bytes;
}

test("100 MiB go up and down through a server that grows by less than 64 MiB", async () => {
  const { token } = alice;
  const transfers = new MediaTransfers(
    (request) => requestJson({ url: server.url }, { ...request, accessToken: token }),
    { clock: systemClock, random: createSystemRandom() },
  );
  const before = await settledBytes();
  const reference = await transfers.upload(large);
  const afterUpload = peakBytes(server.pid);
  const hash = createHash("sha256");
  for await (const piece of transfers.download(reference)) hash.update(piece);
  expect(hash.digest("hex")).toBe(reference.sha256);
  const growth = [afterUpload - before, peakBytes(server.pid) - before].map((bytes) => Math.round(bytes / 1024 / 1024));
  process.stdout.write(`      server grew by ${growth[0]} MiB for the upload, ${growth[1]} MiB in all\n`);
  expect(Math.max(...growth) * 1024 * 1024).toBeLessThan(growthBytesMax);

  const url = await locate(server, token, reference.mediaId);
  for (const [from, to] of [
    [0, 16],
    [limits.mediaPartBytes - 8, limits.mediaPartBytes + 8],
    [sizeBytes - 16, sizeBytes],
  ] as const) {
    const response = await fetch(url, { headers: { range: `bytes=${from}-${to - 1}` } });
    expect([response.status, response.headers.get("content-range")]).toEqual([
      206,
      `bytes ${from}-${to - 1}/${sizeBytes}`,
    ]);
    expect(Buffer.from(await response.arrayBuffer()).equals(await large.read(from, to))).toBe(true);
  }
  expect(server.stderr()).toBe("");
});
