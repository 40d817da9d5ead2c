import { expect, test } from "vitest";
import type { WorkerProgress } from "../worker/messages.ts";
import { Drain } from "./drain.ts";

const at = (over: Partial<WorkerProgress> = {}): WorkerProgress => ({
  started: 0,
  ended: 0,
  delivered: 0,
  responses: [],
  errors: 0,
  faults: 0,
  connected: 1,
  written: 0,
  cpu: 0,
  quiet: false,
  owed: false,
  heard: 0,
  ...over,
});
const endMs = 4_000;

/** The first second at which a drain of 10 s is over, when the workers say the same in each. */
function lastsUntil(progressOf: (atMs: number) => readonly WorkerProgress[], drain = new Drain(10_000)): number {
  for (let atMs = 1_000; ; atMs += 1_000) {
    if (drain.isOver({ atMs, endMs, progresses: progressOf(atMs) })) return atMs - endMs;
  }
}

test("it is over as soon as all is quiet and nobody is owed anything", () => {
  expect(lastsUntil(() => [at({ quiet: true })])).toBe(2_000);
  expect(lastsUntil((ms) => [at({ quiet: true }), at({ quiet: ms >= 9_000 })])).toBe(5_000);
});

test("it waits for what was acked and has not arrived, however quiet it is", () => {
  expect(lastsUntil((ms) => [at({ quiet: true, owed: ms < 27_000 })])).toBe(23_000);
});

test("what never comes is given up after a silence that no recovery takes", () => {
  expect(lastsUntil(() => [at({ quiet: true, owed: true })])).toBe(41_000);
  // Something comes now and then, until 8 s after the end.
  expect(lastsUntil((ms) => [at({ owed: true, delivered: ms <= 12_000 && ms % 3_000 === 0 ? 1 : 0 })])).toBe(49_000);
  expect(lastsUntil(() => [at({ owed: true, delivered: 1 })])).toBe(61_000);
});

test("a drain whose time is up ends soon when nobody is owed anything", () => {
  expect(lastsUntil(() => [at()])).toBe(11_000);
  expect(lastsUntil((ms) => [at({ ended: ms <= 12_000 ? 1 : 0 })])).toBe(14_000);
});

test("a worker that has not heard what the others were acked cannot say that nothing is owed", () => {
  const drain = new Drain(10_000);
  drain.nextVersion();
  const two = (heard: number) => [at({ quiet: true, heard: 1 }), at({ quiet: true, heard })];
  expect(drain.isOver({ atMs: 6_000, endMs, progresses: two(0) })).toBe(false);
  expect(drain.isOver({ atMs: 7_000, endMs, progresses: two(1) })).toBe(true);
});

test("workers on the stores are owed nothing", () => {
  const { owed: _, heard: __, ...store } = at({ quiet: true });
  expect(lastsUntil(() => [store])).toBe(2_000);
});
