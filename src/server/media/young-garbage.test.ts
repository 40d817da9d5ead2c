import { expect, test } from "vitest";
import { createGarbageBound } from "./young-garbage.ts";

test("collects once every so many bytes, however they come", () => {
  let collections = 0;
  const passed = createGarbageBound(100, () => collections++);
  const counts = [99, 1, 250, 50, 49, 1].map((bytes) => {
    passed(bytes);
    return collections;
  });
  expect(counts).toEqual([0, 1, 2, 2, 2, 3]);
});

test("a collection is something that can be had", () => {
  expect(() => createGarbageBound(1)(1)).not.toThrow();
});
