import fc from "fast-check";
import { expect, test } from "vitest";
import type { BatchHeader } from "./bus-batch.ts";
import { GapDetector } from "./gap-detector.ts";

const header = (kind: BatchHeader["kind"], counter: number, changed: Partial<BatchHeader> = {}): BatchHeader => ({
  kind,
  from: "a",
  fromEpoch: "e1",
  toEpoch: "own",
  counter,
  ...changed,
});

test("batches in order and beacons between them are no loss", () => {
  const gaps = new GapDetector("own");
  for (const [kind, counter] of [
    ["hello", 0],
    ["beacon", 0],
    ["batch", 1],
    ["batch", 2],
    ["beacon", 2],
    ["batch", 3],
    ["bye", 3],
  ] as const) {
    expect(gaps.hear(header(kind, counter), 0)).toBeUndefined();
  }
  expect(gaps.silent(1_000_000, 5_000, 15_000)).toBeUndefined();
});

test("a lost batch shows with the next batch, once", () => {
  const gaps = new GapDetector("own");
  gaps.hear(header("batch", 1), 0);
  expect(gaps.hear(header("batch", 3), 0)).toMatch(/^1 batches of process a are missing/);
  expect(gaps.hear(header("batch", 4), 0)).toBeUndefined();
});

test("a lost last batch shows with the next beacon, and with a good-bye", () => {
  for (const kind of ["beacon", "bye"] as const) {
    const gaps = new GapDetector("own");
    gaps.hear(header("batch", 1), 0);
    expect(gaps.hear(header(kind, 2), 0)).toMatch(/missing/);
  }
});

test("the very first batch of a process may be the lost one", () => {
  expect(new GapDetector("own").hear(header("batch", 2), 0)).toMatch(/missing/);
  expect(new GapDetector("own").hear(header("beacon", 1), 0)).toMatch(/missing/);
});

test("a process that begins anew may have died with something unsent", () => {
  const gaps = new GapDetector("own");
  gaps.hear(header("batch", 5), 0);
  expect(gaps.hear(header("beacon", 0, { fromEpoch: "e2" }), 0)).toMatch(/began anew/);
  expect(gaps.hear(header("batch", 1, { fromEpoch: "e2" }), 0)).toBeUndefined();
});

test("a sender that lost its numbering is a loss, and is followed from there", () => {
  const gaps = new GapDetector("own");
  for (let counter = 1; counter <= 9; counter++) gaps.hear(header("batch", counter), 0);
  expect(gaps.hear(header("batch", 1), 0)).toMatch(/began anew/);
  expect(gaps.hear(header("batch", 2), 0)).toBeUndefined();
  expect(gaps.hear(header("batch", 4), 0)).toMatch(/missing/);
});

test("a process that is silent for too long is reported once", () => {
  const gaps = new GapDetector("own");
  gaps.hear(header("beacon", 0), 1_000);
  expect(gaps.silent(5_999, 5_000, 15_000)).toBeUndefined();
  expect(gaps.silent(6_000, 5_000, 15_000)).toMatch(/fell silent/);
  for (const atMs of [7_000, 15_999, 16_000, 99_000]) expect(gaps.silent(atMs, 5_000, 15_000)).toBeUndefined();
});

test("one that was only held up goes on where it was, costs nothing more, and may fall silent again", () => {
  const gaps = new GapDetector("own");
  for (let counter = 1; counter <= 9; counter++) gaps.hear(header("batch", counter), 1_000);
  expect(gaps.silent(6_000, 5_000, 15_000)).toMatch(/fell silent/);
  expect(gaps.hear(header("batch", 10), 6_500)).toBeUndefined();
  expect(gaps.hear(header("beacon", 10), 7_000)).toBeUndefined();
  expect(gaps.silent(11_999, 5_000, 15_000)).toBeUndefined();
  expect(gaps.silent(12_000, 5_000, 15_000)).toMatch(/fell silent/);
  expect(gaps.hear(header("batch", 12), 12_500)).toMatch(/^1 batches of process a are missing/);
});

test("one whose lease has ended is forgotten: it begins anew without being a loss again", () => {
  const gaps = new GapDetector("own");
  gaps.hear(header("batch", 9), 0);
  expect(gaps.silent(5_000, 5_000, 15_000)).toMatch(/fell silent/);
  gaps.silent(15_000, 5_000, 15_000);
  expect(gaps.hear(header("batch", 1, { fromEpoch: "e2" }), 16_000)).toBeUndefined();
});

test("while this process was held up nobody fell silent; who was silent before stays reported", () => {
  const gaps = new GapDetector("own");
  gaps.hear(header("beacon", 0), 0);
  gaps.hear(header("beacon", 0, { from: "b" }), 4_000);
  expect(gaps.silent(5_000, 5_000, 15_000)).toMatch(/process a fell silent/);
  gaps.excuse(12_000);
  expect(gaps.silent(12_500, 5_000, 15_000)).toBeUndefined();
  expect(gaps.silent(16_999, 5_000, 15_000)).toBeUndefined();
  expect(gaps.silent(17_000, 5_000, 15_000)).toMatch(/process b fell silent/);
});

test("what was addressed to an epoch before says nothing about this one", () => {
  const gaps = new GapDetector("own");
  gaps.hear(header("batch", 1), 0);
  gaps.restart("next");
  expect(gaps.hear(header("batch", 7), 0)).toBeUndefined();
  expect(gaps.hear(header("batch", 1, { toEpoch: "next" }), 0)).toBeUndefined();
});

test("after a loss that was reported only what comes counts", () => {
  const gaps = new GapDetector("own");
  gaps.hear(header("batch", 1), 0);
  gaps.adopt(20_000);
  expect(gaps.silent(24_999, 5_000, 15_000)).toBeUndefined();
  expect(gaps.hear(header("batch", 9), 20_002)).toBeUndefined();
  expect(gaps.hear(header("batch", 11), 20_003)).toMatch(/missing/);
});

test("whichever batches are lost: a loss is reported if and only if there is one, at the latest with the beacon", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (arrives) => {
      const gaps = new GapDetector("own");
      const reasons = arrives.map((does, index) => (does ? gaps.hear(header("batch", index + 1), 0) : undefined));
      reasons.push(gaps.hear(header("beacon", arrives.length), 0));
      expect(reasons.some((reason) => reason !== undefined)).toBe(arrives.includes(false));
    }),
  );
});
