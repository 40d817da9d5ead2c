import { expect, test } from "vitest";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import { BatchedReads } from "./batched-reads.ts";

/** Each statement waits until it is let through. */
function setUp() {
  const sent: { readonly keys: readonly number[]; readonly through: Deferred<void> }[] = [];
  const reads = new BatchedReads<number, string>(async (keys) => {
    const through = createDeferred<void>();
    sent.push({ keys, through });
    await through.promise;
    return keys.map((key) => `row ${key}`);
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { sent, reads, turn };
}

test("what is asked in one turn is one statement, and each gets the own row, also of a key that is asked twice", async () => {
  const { sent, reads, turn } = setUp();
  const answers = Promise.all([3, 1, 3].map((key) => reads.get(key)));
  await turn();
  expect(sent.map(({ keys }) => keys)).toEqual([[3, 1, 3]]);
  sent[0]?.through.resolve();
  expect(await answers).toEqual(["row 3", "row 1", "row 3"]);
});

test("two statements are under way at most; what comes meanwhile goes together, and in none that was sent before", async () => {
  const { sent, reads, turn } = setUp();
  const answers: Promise<string>[] = [];
  for (const key of [1, 2, 3, 4]) {
    answers.push(reads.get(key));
    await turn();
  }
  expect(sent.map(({ keys }) => keys)).toEqual([[1], [2]]);
  sent[1]?.through.resolve();
  await turn();
  expect(sent.map(({ keys }) => keys)).toEqual([[1], [2], [3, 4]]);
  for (const { through } of sent) through.resolve();
  expect(await Promise.all(answers)).toEqual(["row 1", "row 2", "row 3", "row 4"]);
});

test("a statement that fails fails its callers and nobody else", async () => {
  const { sent, reads, turn } = setUp();
  const failing = reads.get(1);
  await turn();
  const next = reads.get(2);
  await turn();
  sent[0]?.through.reject(new Error("gone"));
  sent[1]?.through.resolve();
  await expect(failing).rejects.toThrow("gone");
  expect(await next).toBe("row 2");
  const later = reads.get(3);
  await turn();
  sent[2]?.through.resolve();
  expect(await later).toBe("row 3");
});

test("statements and what waits for them are bounded", async () => {
  const { sent, reads, turn } = setUp();
  // Of one turn: the queue is full before the first statement leaves.
  const asked = Array.from({ length: 16_384 }, (_, key) => reads.get(key));
  await expect(reads.get(0)).rejects.toMatchObject({ code: "store_unavailable", temporary: true });
  await turn();
  expect(sent.map(({ keys }) => keys.length)).toEqual([256, 256]);
  for (let index = 0; index < 64; index++) {
    sent[index]?.through.resolve();
    await turn();
  }
  expect((await Promise.all(asked)).length).toBe(16_384);
});
