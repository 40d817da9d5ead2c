import { expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";

test("events come in order, whether they or their reader came first", async () => {
  const queue = new EventQueue<number>(8, () => undefined);
  queue.push(1);
  queue.push(2);
  expect((await queue.next()).value).toBe(1);
  expect((await queue.next()).value).toBe(2);
  const third = queue.next();
  queue.push(3);
  expect((await third).value).toBe(3);
});

test("ending lets the reader finish what waits", async () => {
  const queue = new EventQueue<number>(8, () => undefined);
  queue.push(1);
  queue.end();
  queue.push(2);
  const seen: number[] = [];
  for await (const item of queue) seen.push(item);
  expect(seen).toEqual([1]);
});

test("ending wakes a reader that waits", async () => {
  const queue = new EventQueue<number>(8, () => undefined);
  const next = queue.next();
  queue.end();
  expect(await next).toEqual({ value: undefined, done: true });
});

test("a reader that falls too far behind is told so after what it can still have", async () => {
  let ended = 0;
  const queue = new EventQueue<number>(2, () => ended++);
  for (const item of [1, 2, 3]) queue.push(item);
  expect(ended).toBe(1);
  expect((await queue.next()).value).toBe(1);
  expect((await queue.next()).value).toBe(2);
  await expect(queue.next()).rejects.toThrow("more than 2 events");
  expect((await queue.next()).done).toBe(true);
});

test("leaving the loop ends the subscription", async () => {
  let ended = 0;
  const queue = new EventQueue<number>(2, () => ended++);
  queue.push(1);
  for await (const item of queue) if (item === 1) break;
  expect(ended).toBe(1);
});
