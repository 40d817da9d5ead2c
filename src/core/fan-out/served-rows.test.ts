import { expect, test } from "vitest";
import { ServedRows } from "./served-rows.ts";

const job = (fromSeq: number, toSeq: number, chunk = 0) => ({
  conversationId: "018bcfe5-6800-7b34-83d0-a3f2d43e0701",
  fromSeq,
  toSeq,
  chunk,
  membership: 1,
});

test("what was served is not left to do, what was not is, and of a job that overlaps only its newer rows", () => {
  const served = new ServedRows();
  expect(served.restOf(job(3, 5))).toEqual(job(3, 5));
  served.add(job(3, 5));
  expect(served.restOf(job(3, 5))).toBeUndefined();
  expect(served.restOf(job(4, 4))).toBeUndefined();
  expect(served.restOf(job(5, 9))).toEqual(job(6, 9));
  expect(served.restOf(job(6, 9))).toEqual(job(6, 9));
  // Below what was served there may be rows that nobody told.
  expect(served.restOf(job(2, 5))).toEqual(job(2, 5));
  expect(served.restOf(job(3, 5, 1))).toEqual(job(3, 5, 1));
});

test("runs that touch are one run; a hole between them is remembered as a hole", () => {
  const served = new ServedRows();
  served.add(job(3, 5));
  served.add(job(6, 8));
  expect(served.restOf(job(3, 8))).toBeUndefined();
  served.add(job(11, 12));
  expect(served.restOf(job(9, 12))).toEqual(job(9, 12));
  expect(served.restOf(job(3, 8))).toEqual(job(3, 8));
  expect(served.restOf(job(11, 12))).toBeUndefined();
  served.add(job(1, 12));
  expect(served.restOf(job(2, 13))).toEqual(job(13, 13));
});
