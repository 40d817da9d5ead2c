import { once } from "node:events";
import { request as httpRequest } from "node:http";
import net from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.ts";
import { api, expectProblem, refused } from "../helpers/api.ts";
import { announce, commit, freshBytes, locate, putPart, putParts, sha256Of, uploadAll } from "../helpers/media.ts";
import { newMessageId } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();
let server: ServerProcess;
let alice: TestUser;
let bob: TestUser;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
  [alice, bob] = (await server.createUsers(2)) as [TestUser, TestUser];
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const send = (mediaId: string, from = alice, since = 0) =>
  api(server, "POST /api/messages", {
    token: from.token,
    body: {
      to: { user: from === alice ? bob.userId : alice.userId },
      message_id: newMessageId(),
      since,
      kind: 2,
      media_id: mediaId,
      envelope: Buffer.from("{}").toString("base64"),
    },
  });

describe("media", () => {
  test("goes from one to the other: announced, uploaded, committed, sent, read", async () => {
    const bytes = freshBytes(48_213);
    const { mediaId, parts, expiresAt } = await announce(server, alice.token, bytes);
    expect(expiresAt).toBeGreaterThan(Date.now() + 3_500_000);
    expect(parts).toMatchObject([{ number: 1, method: "PUT", headers: {}, from_byte: 0, to_byte: bytes.length }]);
    expect(await send(mediaId)).toEqual(refused("no_such_media"));
    await putParts(parts, bytes);
    expect(await send(mediaId)).toEqual(refused("no_such_media"));
    expect((await commit(server, alice.token, mediaId)).body).toMatchObject({
      media_id: mediaId,
      sha256: sha256Of(bytes),
    });
    expect((await send(mediaId)).status).toBe(201);
    const response = await fetch(await locate(server, bob.token, mediaId));
    expect(response.status).toBe(200);
    expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes)).toBe(0);
  });

  test("is committed as often as one likes, and forwarded by whoever knows it", async () => {
    const bytes = freshBytes(10);
    const mediaId = await uploadAll(server, alice.token, bytes);
    const again = await Promise.all([1, 2, 3].map(() => commit(server, alice.token, mediaId)));
    for (const answer of again) expect(answer.status).toBe(200);
    expect((await send(mediaId, bob)).status).toBe(201);
  });

  test("of 8 MiB and more has parts, in any order, each as often as need be", async () => {
    const bytes = freshBytes(2 * limits.mediaPartBytes + 5);
    const { mediaId, parts } = await announce(server, alice.token, bytes);
    expect(parts.map(({ from_byte, to_byte }) => to_byte - from_byte)).toEqual([8_388_608, 8_388_608, 5]);
    const stale = await putPart(parts[0]!, bytes);
    const done = await putParts(parts.toReversed(), bytes);
    const old = done.map((part) => (part.number === 1 ? { number: 1, etag: stale.headers.get("etag") ?? "" } : part));
    expect(await commit(server, alice.token, mediaId, old)).toEqual(refused("media_incomplete"));
    expect((await commit(server, alice.token, mediaId, done)).status).toBe(200);
    expect((await commit(server, alice.token, mediaId, done)).status).toBe(200);
    expect(await expectProblem(await putPart(parts[0]!, bytes))).toEqual(refused("media_exists"));
    const response = await fetch(await locate(server, bob.token, mediaId));
    expect(sha256Of(Buffer.from(await response.arrayBuffer()))).toBe(sha256Of(bytes));
  });

  test("of exactly the bounds is taken, and none beyond them", async () => {
    expect((await announce(server, alice.token, freshBytes(limits.mediaPartBytes - 1))).parts).toHaveLength(1);
    expect((await announce(server, alice.token, freshBytes(1))).parts).toHaveLength(1);
    const sha256 = "0".repeat(64);
    const asked = (size_bytes: unknown) =>
      api(server, "POST /api/media", { token: alice.token, body: { size_bytes, sha256 } });
    const largest = await asked(limits.mediaBytesMax);
    expect((largest.body["upload"] as { parts: unknown[] }).parts).toHaveLength(limits.mediaPartsMax);
    expect(await asked(limits.mediaBytesMax + 1)).toEqual(refused("too_large"));
    for (const size of [0, -1, 1.5, "5", null]) expect(await asked(size)).toEqual(refused("bad_request"));
    for (const digest of ["", "0", "F".repeat(64), "g".repeat(64), 5]) {
      const body = { size_bytes: 1, sha256: digest };
      expect(await api(server, "POST /api/media", { token: alice.token, body })).toEqual(refused("bad_request"));
    }
  });
});

describe("a commit", () => {
  test("before everything is there says so, and may be repeated", async () => {
    const bytes = freshBytes(limits.mediaPartBytes + 1);
    const { mediaId, parts } = await announce(server, alice.token, bytes);
    const [first] = await putParts(parts.slice(0, 1), bytes);
    for (const named of [undefined, [], [first!], [first!, first!], [first!, { number: 2, etag: '"none"' }]]) {
      expect(await commit(server, alice.token, mediaId, named)).toEqual(refused("media_incomplete"));
    }
    const [second] = await putParts(parts.slice(1), bytes);
    expect((await commit(server, alice.token, mediaId, [second!, first!])).status).toBe(200);
    const small = freshBytes(3);
    const single = await announce(server, alice.token, small);
    expect(await commit(server, alice.token, single.mediaId)).toEqual(refused("media_incomplete"));
    await putParts(single.parts, small);
    expect((await commit(server, alice.token, single.mediaId)).status).toBe(200);
  });

  test.each([
    ["one piece", 1_000],
    ["parts", limits.mediaPartBytes + 1],
  ])("of %s with another digest than announced deletes it", async (_what, sizeBytes) => {
    const bytes = freshBytes(sizeBytes);
    const { mediaId, parts } = await announce(server, alice.token, bytes, { sha256: "0".repeat(64) });
    const done = await putParts(parts, bytes);
    expect(await commit(server, alice.token, mediaId, done)).toEqual(refused("media_mismatch"));
    expect(await commit(server, alice.token, mediaId, done)).toEqual(refused("no_such_media"));
    expect(await send(mediaId)).toEqual(refused("no_such_media"));
    const read = await api(server, "GET /api/media/:id", { token: alice.token, params: { id: mediaId } });
    expect(read).toEqual(refused("no_such_media"));
  });

  test("is for its owner alone, and for what exists", async () => {
    const bytes = freshBytes(3);
    const { mediaId, parts } = await announce(server, alice.token, bytes);
    await putParts(parts, bytes);
    expect(await commit(server, bob.token, mediaId)).toEqual(refused("forbidden"));
    const call = { token: alice.token, params: { id: newMessageId() } };
    expect(await api(server, "POST /api/media/:id/commit", call)).toEqual(refused("no_such_media"));
    expect((await commit(server, alice.token, mediaId)).status).toBe(200);
    expect(await commit(server, bob.token, mediaId)).toEqual(refused("forbidden"));
    const read = await api(server, "GET /api/media/:id", { token: bob.token, params: { id: newMessageId() } });
    expect(read).toEqual(refused("no_such_media"));
  });
});

describe("an address for uploading", () => {
  test("takes exactly the bytes that were announced, once", async () => {
    const bytes = freshBytes(1_000);
    const { mediaId, parts } = await announce(server, alice.token, bytes);
    const [part] = parts as [(typeof parts)[0]];
    for (const wrong of [bytes.subarray(1), Buffer.concat([bytes, bytes]), Buffer.alloc(0)]) {
      const response = await fetch(part.url, { method: "PUT", body: wrong });
      expect(await expectProblem(response)).toEqual(refused("bad_request"));
    }
    expect((await putPart(part, bytes)).status).toBe(200);
    expect(await expectProblem(await putPart(part, bytes))).toEqual(refused("media_exists"));
    expect((await commit(server, alice.token, mediaId)).status).toBe(200);
    expect(await expectProblem(await putPart(part, bytes))).toEqual(refused("media_exists"));
  });

  test("believes no length but that of the body: one that ends early leaves nothing", async () => {
    const bytes = freshBytes(100_000);
    const { mediaId, parts } = await announce(server, alice.token, bytes);
    const { url } = parts[0]!;
    const chunked = httpRequest(url, { method: "PUT", headers: { "transfer-encoding": "chunked" } });
    chunked.end(bytes);
    const [answer] = (await once(chunked, "response")) as [{ statusCode: number; resume(): void }];
    answer.resume();
    expect(answer.statusCode).toBe(400);
    const { host, hostname, port, pathname, search } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    await once(socket, "connect");
    socket.write(`PUT ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 100000\r\n\r\n`);
    socket.end(bytes.subarray(0, 50_000));
    await once(socket.resume(), "close");
    expect(await commit(server, alice.token, mediaId)).toEqual(refused("media_incomplete"));
    expect((await putPart(parts[0]!, bytes)).status).toBe(200);
    expect((await commit(server, alice.token, mediaId)).status).toBe(200);
  });

  test("is worth nothing when it was changed, for something else, or for another method", async () => {
    const bytes = freshBytes(1_000);
    const mine = (await announce(server, alice.token, bytes)).parts[0]!;
    const other = (await announce(server, alice.token, bytes)).parts[0]!;
    const signature = new URL(other.url).searchParams.get("signature") ?? "";
    const changed = (name: string, value: string): string => {
      const url = new URL(mine.url);
      url.searchParams.set(name, value);
      return url.href;
    };
    const urls = [
      changed("signature", signature),
      changed("signature", ""),
      changed("size", "1001"),
      changed("part", "1"),
      changed("expires", "9999999999"),
      mine.url.replace(/\?.*/, ""),
      mine.url.replace(new URL(mine.url).pathname, new URL(other.url).pathname),
    ];
    for (const url of urls) {
      const response = await fetch(url, { method: "PUT", body: bytes });
      expect(await expectProblem(response)).toEqual(refused("bad_signature"));
    }
    expect(await expectProblem(await fetch(mine.url))).toEqual(refused("bad_signature"));
    for (const method of ["POST", "DELETE", "PATCH"]) {
      expect(await expectProblem(await fetch(mine.url, { method }))).toEqual(refused("not_found"));
    }
  });

  test("does not lead out of its folder", async () => {
    const { parts } = await announce(server, alice.token, freshBytes(4));
    const { hostname, port, search, host } = new URL(parts[0]!.url);
    const names = [
      "..",
      "../data.mdb",
      "%2e%2e%2fdata.mdb",
      "..%2f..%2fdata.mdb",
      "%00",
      "x".repeat(32),
      "signing-key",
    ];
    for (const name of [...names, `${"0".repeat(32)}%00`, "A".repeat(32)]) {
      for (const method of ["PUT", "GET"]) {
        const socket = net.connect(Number(port), hostname);
        await once(socket, "connect");
        const head = `${method} /media/${name}${search} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n`;
        socket.write(`${head}Content-Length: 4\r\n\r\nevil`);
        const chunks: Buffer[] = [];
        for await (const chunk of socket) chunks.push(chunk as Buffer);
        expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 (?:403|404|400) /);
      }
    }
  });
});

describe("an address for reading", () => {
  const bytes = freshBytes(100_000);
  let url: string;

  beforeAll(async () => {
    url = await locate(server, bob.token, await uploadAll(server, alice.token, bytes));
  });

  const get = (headers: Record<string, string>, method = "GET") => fetch(url, { method, headers });
  const bodyOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

  test("answers as an S3 store does, and says that nobody should interpret the bytes", async () => {
    const response = await get({});
    const etag = response.headers.get("etag") ?? "";
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "accept-ranges": "bytes",
      "cache-control": "private, max-age=31536000, immutable",
      "content-disposition": "attachment",
      "content-length": "100000",
      "content-type": "application/octet-stream",
      "x-content-type-options": "nosniff",
    });
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect((await bodyOf(response)).equals(bytes)).toBe(true);
    const head = await get({}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "100000", ""]);
    const known = await get({ "if-none-match": etag });
    expect([known.status, known.headers.get("etag"), await known.text()]).toEqual([304, etag, ""]);
  });

  test.each([
    ["bytes=0-9", 0, 10],
    ["bytes=99990-", 99_990, 100_000],
    ["bytes=-10", 99_990, 100_000],
    ["bytes=5-999999", 5, 100_000],
  ])("gives the range %s", async (range, from, to) => {
    const response = await get({ range });
    expect(response.status).toBe(206);
    expect(response.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/100000`);
    expect((await bodyOf(response)).equals(bytes.subarray(from, to))).toBe(true);
    const head = await get({ range }, "HEAD");
    expect([head.status, head.headers.get("content-length")]).toEqual([206, String(to - from)]);
  });

  test("does not do more work for ranges that make no sense", async () => {
    for (const range of ["bytes=100000-", "bytes=-0"]) {
      const response = await get({ range });
      expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */100000"]);
      expect(await response.text()).toBe("");
    }
    const many = `bytes=${Array.from({ length: 1_500 }, () => "0-1").join(",")}`;
    for (const range of ["bytes=9-3", many, "bytes=0-0,5-6", "lines=1-2", "bytes=x"]) {
      const response = await get({ range });
      expect([response.status, (await bodyOf(response)).equals(bytes)]).toEqual([200, true]);
    }
    const etag = (await get({}, "HEAD")).headers.get("etag") ?? "";
    expect((await get({ range: "bytes=0-1", "if-range": etag })).status).toBe(206);
    expect((await get({ range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200);
  });

  test("is worth nothing when it was changed, and does not write", async () => {
    for (const wrong of [
      url.replace(/signature=.{6}/, "signature=AAAAAA"),
      url.replace(/expires=\d+/, "expires=9999999999"),
    ]) {
      expect(await expectProblem(await fetch(wrong))).toEqual(refused("bad_signature"));
      expect((await fetch(wrong, { method: "HEAD" })).status).toBe(403);
    }
    const response = await fetch(`${url}&part=0&size=4`, { method: "PUT", body: "evil" });
    expect(await expectProblem(response)).toEqual(refused("bad_signature"));
  });
});

test("nothing of all that was a failure of the server, or left a file to the garbage collector", () => {
  expect(server.stderr()).toBe("");
});
