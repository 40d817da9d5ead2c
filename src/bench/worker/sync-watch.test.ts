import { expect, test } from "vitest";
import { SyncWatch } from "./sync-watch.ts";

function fresh(): { watch: SyncWatch; away: Set<number>; back: number[][] } {
  const away = new Set<number>();
  const back: number[][] = [];
  const isAway = (slot: number): boolean => away.has(slot);
  const watch = new SyncWatch({ slots: 3, isAway, back: (...times) => back.push(times) });
  return { watch, away, back };
}

test("a lost connection counts from its loss to the sync after it, however many attempts fail between", () => {
  const { watch, back } = fresh();
  watch.unsynced(0, 5);
  watch.synced(0, 10);
  expect([watch.count, back]).toEqual([1, []]);
  watch.unsynced(0, 100);
  watch.unsynced(0, 150);
  watch.unsynced(0, 200);
  expect([watch.count, watch.isSynced(0)]).toEqual([0, false]);
  watch.synced(0, 300);
  watch.synced(0, 310);
  expect([watch.count, watch.isSynced(0), back]).toEqual([1, true, [[0, 100, 300]]]);
});

test("who was sent away has lost nothing, also when the connection was gone before", () => {
  const { watch, away, back } = fresh();
  watch.synced(0, 10);
  watch.synced(1, 10);
  away.add(0);
  watch.unsynced(0, 20);
  watch.unsynced(1, 20);
  away.add(1);
  watch.unsynced(1, 30);
  away.clear();
  watch.synced(0, 40);
  watch.synced(1, 40);
  expect(back).toEqual([]);
  expect([watch.wasAway(0, 39), watch.wasAway(0, 40), watch.wasAway(2, 0)]).toEqual([true, false, false]);
});

test("who is away, and not in sync again, was away; who lost the connection was not", () => {
  const { watch, away } = fresh();
  watch.synced(0, 10);
  watch.synced(1, 10);
  away.add(0);
  watch.unsynced(0, 20);
  watch.unsynced(1, 20);
  away.clear();
  expect([watch.wasAway(0, 1_000), watch.wasAway(1, 15)]).toEqual([true, false]);
});

test("who is not back at the end counts until then, once", () => {
  const { watch, back } = fresh();
  watch.synced(2, 10);
  watch.unsynced(2, 100);
  watch.finish(400);
  watch.finish(500);
  expect(back).toEqual([[2, 100, 400]]);
});

test("at the end only those are excused who were sent away, unless there is no server any more", () => {
  const { watch, away } = fresh();
  for (const slot of [0, 1, 2]) watch.synced(slot, 10);
  away.add(1);
  for (const slot of [1, 2]) watch.unsynced(slot, 20);
  expect([0, 1, 2].map((slot) => watch.isExcused(slot, false))).toEqual([false, true, false]);
  expect([0, 1, 2].map((slot) => watch.isExcused(slot, true))).toEqual([false, true, true]);
});
