import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { MemoryMediaObjects, MemoryMediaRows } from "../../../test/helpers/core-ports/memory-media-stores.ts";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { OrphanCollector } from "./orphan-collector.ts";

const random = createSeededRandom(5);
const hourMs = 3_600_000;

let clock: ManualClock;
let rows: MemoryMediaRows;
let objects: MemoryMediaObjects;
let warnings: string[];
let removed: number;
let collector: OrphanCollector;

beforeEach(() => {
  clock = new ManualClock();
  rows = new MemoryMediaRows();
  objects = new MemoryMediaObjects();
  warnings = [];
  removed = 0;
  collector = new OrphanCollector({
    rows,
    objects,
    orphanMs: hourMs,
    urlTtlMs: 1_000,
    clock,
    random,
    log: { info: () => undefined, warn: (_fields, event) => void warnings.push(event) },
    onRemoved: (count) => (removed += count),
  });
});

async function createOld(): Promise<Uuid> {
  const createdAt = clock.nowMs() - 2 * hourMs;
  const mediaId = createUuidV7(createdAt, random);
  const row = { mediaId, ownerId: mediaId, objectName: mediaId, sizeBytes: 1, sha256: new Uint8Array(32), createdAt };
  await rows.create(row);
  return mediaId;
}

/** Lets `ms` pass, and what became due come to its end. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

test("looks soon after the start, then about once an hour", async () => {
  await createOld();
  collector.start();
  await pass(29_000);
  expect(removed).toBe(0);
  await pass(61_000);
  expect(removed).toBe(1);
  await createOld();
  await pass(hourMs / 2 - 1_000);
  expect(removed).toBe(1);
  await pass(hourMs + 1_000);
  expect(removed).toBe(2);
});

test("goes on after a store was away", async () => {
  await createOld();
  const doom = rows.doom.bind(rows);
  rows.doom = () => Promise.reject(new WireError("store_unavailable"));
  collector.start();
  await pass(90_000);
  expect([removed, warnings]).toEqual([0, ["Media that nobody refers to could not be listed"]]);
  rows.doom = doom;
  const remove = objects.remove.bind(objects);
  objects.remove = () => Promise.reject(new WireError("store_unavailable"));
  await pass(1.5 * hourMs);
  expect([removed, warnings[1]]).toEqual([0, "Media that nobody refers to could not be deleted"]);
  objects.remove = remove;
  await pass(1.5 * hourMs);
  expect([removed, warnings.length]).toEqual([1, 2]);
});

test("stops for good, after what it was doing", async () => {
  await createOld();
  const gate = Promise.withResolvers<void>();
  const remove = objects.remove.bind(objects);
  objects.remove = async (name) => {
    await gate.promise;
    return remove(name);
  };
  collector.start();
  await pass(90_000);
  let isStopped = false;
  const stopping = collector.stop().then(() => (isStopped = true));
  await pass(0);
  expect(isStopped).toBe(false);
  gate.resolve();
  await stopping;
  expect(removed).toBe(1);
  await createOld();
  await pass(10 * hourMs);
  expect(removed).toBe(1);
});
