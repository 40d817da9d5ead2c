import { connect } from "node:net";
import { afterAll, expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.ts";
import { mediaFilesIn } from "../helpers/media-folder.ts";
import { announce, commit, freshBytes, locate, putParts, sha256Of } from "../helpers/media.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();

afterAll(() => folder[Symbol.dispose]());

async function digestAt(url: string): Promise<string> {
  return sha256Of(Buffer.from(await (await fetch(url)).arrayBuffer()));
}

/** The port may be another one after a restart; the address holds all the same. */
const movedTo = (server: ServerProcess, url: string): string => url.replace(new URL(url).origin, server.url);

test("a server that is killed during an upload goes on with the parts it had, and keeps nothing of the rest", async () => {
  const directory = `${folder.path}/upload`;
  const bytes = freshBytes(2 * limits.mediaPartBytes + 100);
  let server = await startServer(directory);
  const [alice] = (await server.createUsers(1)) as [TestUser];
  const { mediaId, parts } = await announce(server, alice.token, bytes);
  const first = await putParts(parts.slice(0, 1), bytes);
  // Half a part: the server is in the middle of writing it.
  const { hostname, port, host, pathname, search } = new URL(parts[1]!.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  socket.write(
    `PUT ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${limits.mediaPartBytes}\r\n\r\n`,
  );
  socket.write(bytes.subarray(0, limits.mediaPartBytes / 2));
  await expect.poll(() => mediaFilesIn(directory).filter((file) => file.startsWith("incoming/")).length).toBe(1);
  await server.stop("SIGKILL");
  socket.destroy();

  server = await startServer(directory);
  await using _ = server;
  expect(mediaFilesIn(directory)).toHaveLength(1);
  const rest = parts.slice(1).map((part) => ({ ...part, url: movedTo(server, part.url) }));
  const done = [...first, ...(await putParts(rest, bytes))];
  expect((await commit(server, alice.token, mediaId, done)).status).toBe(200);
  expect(await digestAt(await locate(server, alice.token, mediaId))).toBe(sha256Of(bytes));
  expect(mediaFilesIn(directory)).toHaveLength(1);
});

/** Moments of a commit, as the folder shows them; the last one is its answer. */
const moments: readonly [string, (files: readonly string[]) => boolean][] = [
  ["before anything of it is written", () => true],
  ["while the parts are put together", (files) => files.some((file) => file.startsWith("incoming/"))],
  ["when the object is there and the row does not know", (files) => files.some((file) => /^[0-9a-f]{2}\//.test(file))],
  ["when it was answered", () => false],
];

test.each(moments)(
  "a server that is killed during a commit, %s, ends it when it is asked again",
  async (moment, has) => {
    const directory = `${folder.path}/${moment.replaceAll(" ", "-")}`;
    const bytes = freshBytes(2 * limits.mediaPartBytes + 1);
    let server = await startServer(directory);
    const [alice] = (await server.createUsers(1)) as [TestUser];
    const { mediaId, parts } = await announce(server, alice.token, bytes);
    const done = await putParts(parts, bytes);
    const commitment = { answered: false };
    const answering = commit(server, alice.token, mediaId, done)
      .catch(() => undefined)
      .finally(() => (commitment.answered = true));
    while (!commitment.answered && !has(mediaFilesIn(directory))) await new Promise((resolve) => setImmediate(resolve));
    await server.stop("SIGKILL");
    const answer = await answering;
    if (answer !== undefined) expect(answer.status).toBe(200);

    server = await startServer(directory);
    await using _ = server;
    expect((await commit(server, alice.token, mediaId, done)).status).toBe(200);
    expect(await digestAt(await locate(server, alice.token, mediaId))).toBe(sha256Of(bytes));
    expect(mediaFilesIn(directory)).toHaveLength(1);
  },
);
