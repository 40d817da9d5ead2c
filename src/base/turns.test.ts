import { expect, test } from "vitest";
import { createDeferred } from "./deferred.ts";
import { Turns } from "./turns.ts";

test("work on one key waits for the work before it, whatever became of that; other keys do not", async () => {
  const turns = new Turns();
  const began: string[] = [];
  const first = createDeferred<string>();
  const work = (name: string, result: Promise<string>) => () => {
    began.push(name);
    return result;
  };
  const one = turns.run("a", work("one", first.promise));
  const two = turns.run("a", work("two", Promise.resolve("done")));
  const other = turns.run("b", work("other", Promise.resolve("done")));
  expect(began).toEqual(["one", "other"]);
  first.reject(new Error("no"));
  await expect(one).rejects.toThrow("no");
  expect(await Promise.all([two, other])).toEqual(["done", "done"]);
  expect(began).toEqual(["one", "other", "two"]);
  expect(turns.size).toBe(0);
});
