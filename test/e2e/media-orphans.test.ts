import { afterAll, expect, test } from "vitest";
import { limits } from "../../src/protocol/limits.ts";
import { api, refused } from "../helpers/api.ts";
import { mediaFilesIn } from "../helpers/media-folder.ts";
import { announce, freshBytes, locate, putParts, uploadAll } from "../helpers/media.ts";
import { metricOf } from "../helpers/metrics.ts";
import { newMessageId } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();

afterAll(() => folder[Symbol.dispose]());

test("media that no message refers to is deleted, what one refers to stays, through a kill in between", async () => {
  const directory = `${folder.path}/data`;
  // As ever: nothing is old enough to be collected.
  let server = await startServer(directory);
  const [alice, bob] = (await server.createUsers(2)) as [TestUser, TestUser];
  const kept = await uploadAll(server, alice.token, freshBytes(1_000));
  const body = {
    to: { user: bob.userId },
    message_id: newMessageId(),
    since: 0,
    kind: 2,
    media_id: kept,
    envelope: "e30=",
  };
  expect((await api(server, "POST /api/messages", { token: alice.token, body })).status).toBe(201);
  const committed = await uploadAll(server, alice.token, freshBytes(1_000));
  const bytes = freshBytes(limits.mediaPartBytes + 1);
  const begun = await announce(server, alice.token, bytes);
  await putParts(begun.parts.slice(0, 1), bytes);
  expect(mediaFilesIn(directory)).toHaveLength(3);
  await server.stop("SIGKILL");

  // After 3.6 s. Addresses are taken to hold 10 s, so that rows are forgotten after 20 s.
  const set = { "media.orphan_hours": 0.001, "media.url_ttl_seconds": 10 };
  server = await startServer(directory, { set });
  await using _ = server;
  await expect.poll(() => mediaFilesIn(directory).length, { timeout: 60_000, interval: 100 }).toBe(1);
  const read = (id: string) => api(server, "GET /api/media/:id", { token: bob.token, params: { id } });
  for (const id of [committed, begun.mediaId]) expect(await read(id)).toEqual(refused("no_such_media"));
  const late = { ...body, message_id: newMessageId(), since: 1, media_id: committed };
  expect(await api(server, "POST /api/messages", { token: alice.token, body: late })).toEqual(refused("no_such_media"));

  const removed = () => metricOf(server, 'msgr_media_total{event="orphan_removed"}');
  await expect.poll(removed, { timeout: 60_000, interval: 250 }).toBe(2);
  expect((await fetch(await locate(server, bob.token, kept))).status).toBe(200);
  expect(mediaFilesIn(directory)).toHaveLength(1);
}, 240_000);
