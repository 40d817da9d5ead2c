import { beforeEach, expect, test } from "vitest";
import { MemoryMediaObjects, MemoryMediaRows } from "../../../test/helpers/core-ports/memory-media-stores.ts";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { collectOrphans, type Collection } from "./collect-orphans.ts";

const random = createSeededRandom(3);
const orphanMs = 10_000;
const urlTtlMs = 20_000;

let rows: MemoryMediaRows;
let objects: MemoryMediaObjects;

beforeEach(() => {
  rows = new MemoryMediaRows();
  objects = new MemoryMediaObjects();
});

async function create(createdAt: number): Promise<Uuid> {
  const mediaId = createUuidV7(createdAt, random);
  const row = { mediaId, ownerId: mediaId, objectName: mediaId, sizeBytes: 1, sha256: new Uint8Array(32), createdAt };
  await rows.create(row);
  return mediaId;
}

const collect = (now: number): Promise<Collection> => collectOrphans({ rows, objects, orphanMs, urlTtlMs }, now);

test("what is young or attached is left alone", async () => {
  const [young, attached] = [await create(5_000), await create(0)];
  await rows.ready(attached);
  await rows.attach(attached, 1);
  expect(await collect(15_000)).toEqual({ removed: 0, failures: [], more: false });
  expect([objects.removed, rows.rows.get(young)?.state]).toEqual([[], "uploading"]);
});

test("an object goes at once, its row only when nobody can upload to it any more", async () => {
  const mediaId = await create(0);
  for (const now of [10_001, 20_000, 39_999]) expect(await collect(now)).toMatchObject({ removed: 0 });
  // What was put there meanwhile went too.
  expect([objects.removed, rows.rows.get(mediaId)?.state]).toEqual([[mediaId, mediaId, mediaId], "doomed"]);
  expect(await collect(40_000)).toMatchObject({ removed: 1 });
  expect(rows.rows.size).toBe(0);
});

test("one that cannot be deleted does not keep the others; it is met again", async () => {
  const [stubborn, other] = [await create(0), await create(1)];
  const remove = objects.remove.bind(objects);
  const failure = new Error("not today");
  objects.remove = (name) => (name === stubborn ? Promise.reject(failure) : remove(name));
  expect(await collect(100_000)).toEqual({ removed: 1, failures: [failure], more: false });
  expect([...rows.rows.keys()]).toEqual([stubborn]);
  objects.remove = remove;
  expect(await collect(100_000)).toMatchObject({ removed: 1, failures: [] });
  expect(objects.removed).toEqual([other, stubborn]);
});

test("a store that is away is asked a few times, not once for each row", async () => {
  for (let count = 0; count < 10; count++) await create(count);
  let asked = 0;
  objects.remove = () => Promise.reject(new Error(`away ${++asked}`));
  const { failures, removed, more } = await collect(100_000);
  expect([failures.length, removed, more, asked]).toEqual([3, 0, false, 3]);
});

test("a pass is bounded and says that there is more", async () => {
  for (let count = 0; count < limits.mediaOrphansPerPassMax + 1; count++) await create(count);
  expect(await collect(100_000)).toMatchObject({ removed: limits.mediaOrphansPerPassMax, more: true });
  expect(await collect(100_000)).toMatchObject({ removed: 1, more: false });
});
