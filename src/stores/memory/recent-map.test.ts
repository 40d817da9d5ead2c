import { expect, test } from "vitest";
import { RecentMap } from "./recent-map.ts";

test("the bound holds whatever is written", () => {
  const map = new RecentMap<number>(10);
  for (let index = 0; index < 1_000; index++) {
    map.set(`k${index}`, index, 0, 1_000);
    expect(map.size).toBeLessThanOrEqual(10);
  }
});

test("at the bound the longest unwritten go first", () => {
  const map = new RecentMap<number>(10);
  for (let index = 0; index < 100; index++) {
    map.set("kept", index, 0, 1_000);
    map.set(`k${index}`, index, 0, 1_000);
  }
  expect(map.get("kept")).toBe(99);
  expect(map.get("k99")).toBe(99);
  expect(map.get("k0")).toBeUndefined();
});

test("an entry outlives the idle time and is gone after the second turn", () => {
  const map = new RecentMap<string>(10);
  map.set("early", "value", 1_000, 1_000);
  map.set("other", "x", 1_999, 1_000);
  map.set("other", "x", 2_000, 1_000);
  expect(map.get("early")).toBe("value");
  map.set("other", "x", 3_000, 1_000);
  expect(map.get("early")).toBeUndefined();
  expect(map.size).toBe(1);
});

test("one key is one entry, in whichever generation it was", () => {
  const map = new RecentMap<number>(10);
  map.set("k", 1, 1_000, 1_000);
  map.set("other", 1, 2_000, 1_000);
  map.set("k", 2, 2_000, 1_000);
  expect(map.size).toBe(2);
  expect(map.get("k")).toBe(2);
  map.delete("k");
  expect(map.get("k")).toBeUndefined();
});

test("a clock that goes backwards stops no writes and breaks no bound", () => {
  const map = new RecentMap<number>(4);
  map.set("a", 1, 1_000_000, 1_000);
  map.set("b", 2, 5, 1_000);
  expect(map.get("a")).toBe(1);
  for (let index = 0; index < 100; index++) map.set(`k${index}`, index, index, 1_000);
  expect(map.size).toBeLessThanOrEqual(4);
});
