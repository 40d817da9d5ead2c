import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { createSeededRandom } from "../../src/base/random.ts";
import { ApiError, type HttpRequest } from "../../src/client/runtime/http.ts";
import { MediaDamagedError } from "../../src/client/runtime/media-download.ts";
import { stallTimeoutMs } from "../../src/client/runtime/media-retry.ts";
import { bytesSource, fileSource } from "../../src/client/runtime/media-source.ts";
import { MediaTransfers } from "../../src/client/runtime/media-transfers.ts";
import type { MediaReference } from "../../src/client/runtime/media-upload.ts";
import { temporaryFolder } from "../helpers/server-process.ts";

/** Retries at once; stalls in their time. */
const deps = {
  clock: {
    schedule: (delayMs: number, run: () => void) => systemClock.schedule(delayMs === stallTimeoutMs ? delayMs : 1, run),
  },
  random: createSeededRandom(1),
};

const mediaId = "0199a0c4-0000-7000-8000-000000000001";
const sha256Of = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const referenceTo = (bytes: Uint8Array): MediaReference => ({
  mediaId,
  sizeBytes: bytes.length,
  sha256: sha256Of(bytes),
});

type Behaviour = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** An object store that does with each request what the test says, and the server that names it. */
async function store(behave: Behaviour, partBytes = 1_000) {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => behave(request, response, Buffer.concat(pieces)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked: HttpRequest[] = [];
  const api = async (request: HttpRequest): Promise<unknown> => {
    asked.push(request);
    if (request.method === "GET") return { url: `${url}/object`, expires_at: 0 };
    if (request.path.endsWith("/commit")) return {};
    const { size_bytes: sizeBytes } = request.body as { size_bytes: number };
    const count = Math.ceil(sizeBytes / partBytes);
    const parts = Array.from({ length: count }, (_, index) => ({
      number: index + 1,
      method: "PUT",
      url: `${url}/part/${index + 1}`,
      headers: { "if-none-match": "*" },
      from_byte: index * partBytes,
      to_byte: Math.min((index + 1) * partBytes, sizeBytes),
    }));
    return { media_id: mediaId, expires_at: 0, upload: { parts } };
  };
  return {
    asked,
    transfers: new MediaTransfers(api, deps),
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const ok = (response: ServerResponse, etag: string): void => void response.writeHead(200, { etag }).end();

test("an upload puts every part with its headers, and commits what they were answered with", async () => {
  const bytes = randomBytes(2_500);
  const got = new Map<string, Buffer>();
  using there = await store((request, response, body) => {
    expect([request.method, request.headers["if-none-match"]]).toEqual(["PUT", "*"]);
    got.set(request.url ?? "", body);
    ok(response, `"${got.size}"`);
  });
  const progress: number[] = [];
  const reference = await there.transfers.upload(bytesSource(bytes), { onProgress: (sent) => progress.push(sent) });
  expect(reference).toEqual(referenceTo(bytes));
  expect(Buffer.concat(["/part/1", "/part/2", "/part/3"].map((path) => got.get(path) as Buffer)).equals(bytes)).toBe(
    true,
  );
  expect(there.asked[0]?.body).toEqual({ size_bytes: 2_500, sha256: sha256Of(bytes) });
  const [, commit] = there.asked as [HttpRequest, HttpRequest];
  const { parts } = commit.body as { parts: { number: number; etag: string }[] };
  expect(parts.map(({ number }) => number)).toEqual([1, 2, 3]);
  expect(progress.at(-1)).toBe(2_500);
});

test("a part is put again after a broken connection and a failure of the store, and a lost answer is made up for", async () => {
  const tries = new Map<string, number>();
  using there = await store((request, response) => {
    const time = (tries.get(request.url ?? "") ?? 0) + 1;
    tries.set(request.url ?? "", time);
    if (time === 1) request.socket.destroy();
    else if (time === 2) response.writeHead(503).end();
    else if (request.url === "/part/2") response.writeHead(412).end();
    else ok(response, '"x"');
  });
  await there.transfers.upload(bytesSource(randomBytes(1_500)));
  expect([...tries.values()]).toEqual([3, 3]);
  expect(there.asked.at(-1)?.path).toContain("/commit");
});

test("an upload that is refused, or that never gets through, ends with the reason and commits nothing", async () => {
  let requests = 0;
  using refusing = await store((_request, response) => {
    requests++;
    response.writeHead(403).end();
  });
  const refused = refusing.transfers.upload(bytesSource(randomBytes(10)));
  await expect(refused).rejects.toMatchObject({ name: "ApiError", code: "bad_signature", temporary: false });
  expect(requests).toBe(1);
  using broken = await store((request) => void request.socket.destroy());
  const failed = broken.transfers.upload(bytesSource(randomBytes(10)));
  await expect(failed).rejects.toMatchObject({ code: "unreachable", temporary: true });
  expect([...refusing.asked, ...broken.asked].map(({ path }) => path)).toEqual(["/api/media", "/api/media"]);
});

test("an upload can be given up", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  using there = await store(() => stop.abort(reason));
  await expect(there.transfers.upload(bytesSource(randomBytes(10)), { signal: stop.signal })).rejects.toBe(reason);
});

test("a download that breaks goes on where it broke, as long as it gets on", async () => {
  const bytes = randomBytes(300_000);
  const ranges: (string | undefined)[] = [];
  using there = await store((request, response) => {
    const { range } = request.headers;
    ranges.push(range);
    const from = Number(/bytes=(\d+)-/.exec(range ?? "")?.[1] ?? 0);
    response.writeHead(from === 0 ? 200 : 206, { "content-length": bytes.length - from });
    response.write(bytes.subarray(from, from + 30_000), () => {
      if (from + 30_000 >= bytes.length) response.end();
      else response.destroy();
    });
  });
  const pieces: Uint8Array[] = [];
  for await (const piece of there.transfers.download(referenceTo(bytes))) pieces.push(piece);
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
  expect(ranges.length).toBeGreaterThan(6);
  expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
});

test("what is not what the message says is damaged, and never becomes a file", async () => {
  const bytes = randomBytes(5_000);
  const other = randomBytes(5_000);
  using folder = temporaryFolder();
  let sent: Buffer = other;
  using there = await store((_request, response) => void response.end(sent));
  const save = () => there.transfers.save(referenceTo(bytes), `${folder.path}/file`);
  for (sent of [other, bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
    await expect(save()).rejects.toBeInstanceOf(MediaDamagedError);
    expect(readdirSync(folder.path)).toEqual([]);
  }
  sent = bytes;
  await save();
  expect(readFileSync(`${folder.path}/file`).equals(bytes)).toBe(true);
  expect(readdirSync(folder.path)).toEqual(["file"]);
});

test("a download that is refused for good is not asked for again", async () => {
  let requests = 0;
  using there = await store((_request, response) => {
    requests++;
    response.writeHead(404).end();
  });
  using folder = temporaryFolder();
  const failed = there.transfers.save(referenceTo(randomBytes(10)), `${folder.path}/file`);
  await expect(failed).rejects.toBeInstanceOf(ApiError);
  expect([requests, readdirSync(folder.path)]).toEqual([1, []]);
});

test("a file is read as often and wherever one likes", async () => {
  using folder = temporaryFolder();
  const bytes = randomBytes(10_000);
  writeFileSync(`${folder.path}/file`, bytes);
  await using source = await fileSource(`${folder.path}/file`);
  expect(source.sizeBytes).toBe(10_000);
  for (const [from, to] of [
    [0, 10_000],
    [5, 6],
    [9_000, 10_000],
    [0, 1],
  ] as const) {
    expect(Buffer.compare(await source.read(from, to), bytes.subarray(from, to))).toBe(0);
  }
  await expect(source.read(9_000, 10_001)).rejects.toThrow("ended at byte 10000");
});
