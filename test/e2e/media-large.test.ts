import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.ts";
import { growthBytesMax, largeMedia, passLargeMedia } from "../helpers/large-media.ts";
import { locate } from "../helpers/media.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

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

const { sizeBytes } = largeMedia;

test("100 MiB go up and down through a server that grows by less than 64 MiB", async () => {
  const { reference, sha256, growthBytes } = await passLargeMedia(server, alice);
  expect(sha256).toBe(reference.sha256);
  expect(Math.max(...growthBytes)).toBeLessThan(growthBytesMax);

  const url = await locate(server, alice.token, reference.mediaId);
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
    expect(Buffer.from(await response.arrayBuffer()).equals(await largeMedia.read(from, to))).toBe(true);
  }
  expect(server.stderr()).toBe("");
});
