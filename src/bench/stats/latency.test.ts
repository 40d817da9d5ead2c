import { expect, test } from "vitest";
import { LatencyTriple } from "./latency.ts";

test("a late start counts in the response time and not in the service time", () => {
  const triple = new LatencyTriple();
  triple.record(1_000, 1_040, 1_050);
  expect([triple.wait.max, triple.service.max, triple.response.max]).toEqual([40_000, 10_000, 50_000]);
});

test("a stall is seen by every operation that was due during it", () => {
  const triple = new LatencyTriple();
  // One operation a millisecond; the generator stands still for 100 ms and then starts all that were due.
  for (let at = 0; at < 100; at++) triple.record(at, 100, 101);
  expect(triple.service.percentile(0.5)).toBe(1_000);
  expect(triple.response.percentile(0.5)).toBeGreaterThan(50_000);
});

test("triples of two workers add up after serialising", () => {
  const one = new LatencyTriple();
  const other = new LatencyTriple();
  one.record(0, 1, 2);
  other.record(0, 3, 9);
  one.merge(LatencyTriple.deserialise(structuredClone(other.serialise())));
  expect(one.response.count).toBe(2);
  expect(one.response.max).toBe(9_000);
  expect(one.wait.max).toBe(3_000);
});
