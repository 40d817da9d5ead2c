import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startTcpProxy, type TcpProxy } from "../../src/bench/faults/tcp-proxy.ts";
import { signAddress } from "../../src/core/media/signed-address.ts";
import { createS3MediaObjects } from "../../src/stores/s3/media-objects.ts";
import { expectProblem, refused } from "../helpers/api.ts";
import { ownClusterServers } from "../helpers/cluster-servers.ts";
import { eventually } from "../helpers/eventually.ts";
import { freshBytes, locate, uploadAll } from "../helpers/media.ts";
import { freePort } from "../helpers/free-port.ts";
import { hasNginx, startNginx, type NginxProcess } from "../helpers/nginx-process.ts";
import { describeOn } from "../helpers/real-stores.ts";
import { makeBucket } from "../helpers/s3-bucket.ts";
import type { ServerProcess, TestUser } from "../helpers/server-process.ts";

const mebibyte = 1024 * 1024;
const signingKey = randomBytes(32).toString("hex");
const newName = (): string => randomBytes(16).toString("hex");

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** As far as it came. */
  readonly body: Buffer;
  /** Whether all of it came. */
  readonly complete: boolean;
}

/** One request with exactly this path: `fetch` would tidy it up. */
async function raw(url: string, path: string, method = "GET", headers: Record<string, string> = {}): Promise<Got> {
  const { hostname, port } = new URL(url);
  const asking = httpRequest({ hostname, port, path, method, headers, agent: false });
  asking.end();
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  const pieces: Buffer[] = [];
  answer.on("data", (piece: Buffer) => pieces.push(piece));
  answer.on("error", () => undefined);
  await new Promise((resolve) => answer.once("close", resolve));
  const body = Buffer.concat(pieces);
  return { status: answer.statusCode ?? 0, headers: answer.headers, body, complete: answer.complete };
}

// Needs nginx on this machine, beside the stores.
describe.skipIf(!hasNginx)("media through nginx", () => {
  describeOn(["cassandra", "postgres", "redis", "s3"], "on the stores", () => {
    const cluster = ownClusterServers();
    const servers: ServerProcess[] = [];
    let bucket: Awaited<ReturnType<typeof makeBucket>>;
    /** Between everybody and the object store. */
    let origin: TcpProxy;
    let nginx: NginxProcess;
    let alice: TestUser;

    beforeAll(async () => {
      bucket = await makeBucket();
      origin = await startTcpProxy(new URL(bucket.options.endpoint).host);
      const endpoint = `http://${origin.address}`;
      const port = await freePort();
      const set = {
        "s3.endpoint": endpoint,
        "s3.bucket": bucket.options.bucket,
        "media.cdn_url": `http://127.0.0.1:${port}`,
        "media.signing_key": signingKey,
      };
      servers.push(...(await Promise.all([cluster.start({ set }), cluster.start({ set })])));
      const addresses = servers.map(({ url }) => new URL(url).host);
      nginx = await startNginx(port, addresses, endpoint);
      [alice] = (await servers[0]!.createUsers(1)) as [TestUser];
    }, 180_000);

    afterAll(async () => {
      await nginx[Symbol.asyncDispose]();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
      await origin[Symbol.asyncDispose]();
      await bucket[Symbol.asyncDispose]();
    }, 180_000);

    /** Uploaded as clients do; the path by which it is read. */
    async function uploaded(bytes: Buffer): Promise<string> {
      const mediaId = await uploadAll(nginx, alice.token, bytes);
      const url = new URL(await locate(nginx, alice.token, mediaId));
      expect(url.origin).toBe(nginx.url);
      return url.pathname + url.search;
    }

    const get = (path: string, headers: Record<string, string> = {}) => raw(nginx.url, path, "GET", headers);
    const addressOf = (name: string, key = signingKey, expiresAt = Date.now() + 60_000): string =>
      signAddress(Buffer.from(key), { action: "read", name }, expiresAt);
    const nameIn = (path: string): string => path.slice("/media/".length).split("?")[0] as string;

    test("the first reader fetches it, the next is served from the cache, whatever the signature and the server", async () => {
      const bytes = freshBytes(2 * mebibyte + 12_345);
      const path = await uploaded(bytes);
      const first = await get(path);
      expect([first.status, first.headers["x-cache"], first.body.equals(bytes)]).toEqual([200, "MISS", true]);
      expect(first.headers).toMatchObject({
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=31536000, immutable",
        "content-disposition": "attachment",
        "content-length": String(bytes.length),
        "content-type": "application/octet-stream",
        "x-content-type-options": "nosniff",
        etag: expect.stringMatching(/^".+"$/) as unknown,
      });
      expect(Object.keys(first.headers).filter((name) => name.startsWith("x-amz"))).toEqual([]);
      for (const again of [path, path, addressOf(nameIn(path), signingKey, Date.now() + 120_000)]) {
        const next = await get(again);
        expect([next.status, next.headers["x-cache"], next.body.equals(bytes)]).toEqual([200, "HIT", true]);
      }
    });

    test("a range is the same bytes as of the whole, across the borders of the pieces that the cache keeps", async () => {
      const bytes = freshBytes(2 * mebibyte + 777);
      const path = await uploaded(bytes);
      const wanted: readonly (readonly [string, number, number])[] = [
        ["bytes=1048566-1048585", mebibyte - 10, mebibyte + 10],
        ["bytes=0-0", 0, 1],
        ["bytes=1048575-2097152", mebibyte - 1, 2 * mebibyte + 1],
        ["bytes=-10", bytes.length - 10, bytes.length],
        ["bytes=2097152-", 2 * mebibyte, bytes.length],
        ["bytes=100-99999999", 100, bytes.length],
      ];
      for (const [range, from, to] of wanted) {
        const got = await get(path, { range });
        expect([range, got.status, got.headers["content-range"], got.body.equals(bytes.subarray(from, to))]).toEqual([
          range,
          206,
          `bytes ${from}-${to - 1}/${bytes.length}`,
          true,
        ]);
      }
      for (const range of [`bytes=${bytes.length}-`, "bytes=99999999-"])
        expect((await get(path, { range })).status).toBe(416);
      // By now every piece is there.
      const whole = await get(path);
      expect([whole.status, whole.headers["x-cache"], whole.body.equals(bytes)]).toEqual([200, "HIT", true]);
    });

    test("who has it is told so, and HEAD is GET without a body", async () => {
      const bytes = freshBytes(mebibyte + 5);
      const path = await uploaded(bytes);
      const { headers } = await get(path);
      const etag = String(headers.etag);
      const unchanged = await get(path, { "if-none-match": etag });
      expect([unchanged.status, unchanged.body.length]).toEqual([304, 0]);
      expect((await get(path, { "if-none-match": '"another"' })).status).toBe(200);
      const head = await raw(nginx.url, path, "HEAD");
      expect([head.status, head.headers["content-length"], head.headers.etag]).toEqual([
        200,
        String(bytes.length),
        etag,
      ]);
      const part = await get(path, { range: "bytes=0-9", "if-range": etag });
      expect([part.status, part.body.length]).toEqual([206, 10]);
      expect((await get(path, { range: "bytes=0-9", "if-range": '"another"' })).status).toBe(200);
    });

    test("an address that is not whole, or not of this object, is refused although the object is in the cache", async () => {
      const path = await uploaded(freshBytes(1_000));
      const other = await uploaded(freshBytes(1_000));
      expect((await get(path)).status).toBe(200);
      expect((await get(path)).headers["x-cache"]).toBe("HIT");
      const [name, query] = [nameIn(path), path.split("?")[1] as string];
      const signature = /signature=(.*)$/.exec(path)?.[1] as string;
      const attempts = [
        `/media/${name}`,
        `/media/${name}?`,
        `/media/${name}?${query.replace(/signature=.*/, "")}`,
        `/media/${name}?${query.replace(/signature=.{4}/, "signature=AAAA")}`,
        `/media/${name}?${query.replace(/expires=\d+/, "expires=1999999999")}`,
        `/media/${name}?expires=1999999999&signature=${signature}`,
        `/media/${name}?${other.split("?")[1]}`,
        addressOf(name, randomBytes(32).toString("hex")),
        addressOf(name, signingKey, Date.now() - 2_000),
        // Paths that lead there, by somebody's reading.
        `/media/${nameIn(other)}/../${path.slice("/media/".length)}`,
        `/media/../media/${path.slice("/media/".length)}`,
        `/media/./${path.slice("/media/".length)}`,
        `/media//${path.slice("/media/".length)}`,
        `//media/${path.slice("/media/".length)}`,
        `/media/${name}/?${query}`,
        `/media/${name}/x?${query}`,
        `/media/%${name.charCodeAt(0).toString(16)}${name.slice(1)}?${query}`,
        `/media%2F${name}?${query}`,
        `/media/${name.toUpperCase()}?${query.replace("a", "A")}`,
        `/media/${name}%00?${query}`,
        `/media/${name}?${query}&x=1`,
        `/media/${name}?x=1&${query}`,
        `/media/${name}?${query}#x`,
        `/media/..%2f..%2fetc/passwd?${query}`,
      ];
      for (const attempt of attempts) {
        const { status, headers, body } = await get(attempt);
        expect([attempt, [400, 403, 404].includes(status), body.length < 1_000]).toEqual([attempt, true, true]);
        expect(["HIT", "STALE"]).not.toContain(headers["x-cache"]);
      }
      const response = await fetch(`${nginx.url}/media/${name}`);
      expect(await expectProblem(response)).toEqual(refused("bad_signature"));
      // What nginx asks cannot be asked from outside.
      expect((await get("/cdn/admit", { "x-original-uri": path })).status).toBe(404);
    });

    test("is read and nothing else, and what a client says besides reaches nobody", async () => {
      const bytes = freshBytes(1_000);
      const path = await uploaded(bytes);
      for (const method of ["PUT", "POST", "DELETE", "PATCH", "OPTIONS"]) {
        expect((await raw(nginx.url, path, method)).status).toBe(405);
      }
      const misleading = {
        authorization: "Bearer x",
        cookie: "a=b",
        "x-amz-security-token": "x",
        "x-original-uri": "/media/x",
        "x-media-object": newName(),
      };
      const got = await get(path, misleading);
      expect([got.status, got.body.equals(bytes)]).toEqual([200, true]);
    });

    test("what is not there is asked for again each time", async () => {
      const objects = createS3MediaObjects(bucket.options);
      const [name, bytes] = [newName(), freshBytes(1_000)];
      const missing = await fetch(nginx.url + addressOf(name));
      expect(await expectProblem(missing)).toEqual(refused("no_such_media"));
      const { parts } = await objects.plan({ name, sizeBytes: bytes.length }, Date.now() + 60_000);
      for (const { url, headers } of parts) {
        expect((await fetch(url, { method: "PUT", headers, body: new Uint8Array(bytes) })).status).toBe(200);
      }
      objects.close();
      const got = await get(addressOf(name));
      expect([got.status, got.headers["x-cache"], got.body.equals(bytes)]).toEqual([200, "MISS", true]);
    });

    test("while the object store is gone what is cached is served, the rest waits, and nobody gets half of it as a whole", async () => {
      const bytes = freshBytes(2 * mebibyte + 9);
      const [cached, partly, fresh] = [await uploaded(bytes), await uploaded(bytes), await uploaded(bytes)];
      const first = { range: "bytes=0-9" };
      expect((await get(cached)).body.equals(bytes)).toBe(true);
      expect((await get(partly, first)).status).toBe(206);
      // A range is answered when its bytes are there; its piece is kept when all of it is.
      await eventually(async () => {
        expect((await get(cached)).headers["x-cache"]).toBe("HIT");
        expect((await get(partly, first)).headers["x-cache"]).toBe("HIT");
      });
      onTestFinished(() => origin.refuse(false));
      origin.refuse(true);
      origin.cut();
      const hit = await get(cached);
      expect([hit.status, hit.headers["x-cache"], hit.body.equals(bytes)]).toEqual([200, "HIT", true]);
      expect(await expectProblem(await fetch(nginx.url + fresh))).toEqual(refused("store_unavailable"));
      const part = await get(partly, { range: "bytes=100-199" });
      expect([part.status, part.body.equals(bytes.subarray(100, 200))]).toEqual([206, true]);
      const broken = await get(partly);
      expect([broken.complete, broken.body.equals(bytes.subarray(0, broken.body.length))]).toEqual([false, true]);
      // Still nobody without a signature.
      expect((await get(`/media/${nameIn(cached)}`)).status).toBe(403);
      origin.refuse(false);
      for (const path of [partly, fresh]) {
        const got = await get(path);
        expect([got.status, got.body.equals(bytes)]).toEqual([200, true]);
      }
    });

    test("many readers of one new object cost the store one fetch of each piece", async () => {
      const bytes = freshBytes(mebibyte + 9);
      const path = await uploaded(bytes);
      const all = await Promise.all(Array.from({ length: 20 }, () => get(path)));
      for (const got of all) expect([got.status, got.body.equals(bytes)]).toEqual([200, true]);
      const fetched = all.filter(({ headers }) => headers["x-cache"] === "MISS");
      expect(fetched.length).toBe(1);
    });

    test("without a server nobody is let in, cached or not", async () => {
      const path = await uploaded(freshBytes(1_000));
      expect((await get(path)).status).toBe(200);
      for (const server of servers) await server.stop("SIGKILL");
      expect(await expectProblem(await fetch(nginx.url + path))).toEqual(refused("store_unavailable"));
      expect(await expectProblem(await fetch(`${nginx.url}/api/me`))).toEqual(refused("draining"));
    });
  });
});
