import { expect, test } from "vitest";
import { faultLines } from "./fault-lines.ts";
import type { BenchResult, FaultResult } from "./result.ts";
import { createStyle } from "./style.ts";

function fault(parts: Partial<FaultResult>): FaultResult {
  return { do: "store.pause", which: "redis", plannedAtMs: 10_000, forMs: 5_000, ok: true, ...parts };
}

function linesOf(faults: readonly FaultResult[], refusals: Readonly<Record<string, number>> = {}): string {
  // Nothing else of a result is looked at.
  const result = { faults, refusals } as unknown as BenchResult;
  return faultLines(result, createStyle(false)).join("\n");
}

test("a run without faults says nothing of them", () => {
  expect(linesOf([], { store_unavailable: 3 })).toBe("");
});

test("each fault has its time, its length and what came after it", () => {
  const text = linesOf([
    fault({ atMs: 10_004, endMs: 15_010, recoveryMs: 0 }),
    fault({ do: "store.kill", which: "cassandra", forMs: 1_000, atMs: 30_000, endMs: 48_000, recoveryMs: 3_000 }),
    fault({ do: "store.flush", forMs: 0, atMs: 60_000, endMs: 60_001, ok: false }),
    fault({ do: "proxy.cut", which: "clients", plannedAtMs: 70_000, ok: false }),
  ]);
  expect(text.split("\n")).toEqual([
    "faults      10s store.pause redis for 5s: recovered at once",
    "            30s store.kill cassandra for 1s, back after 18s: recovered after 3s",
    "            1m store.flush redis: not seen to recover before the next fault or the end",
    "            1m10s proxy.cut clients for 5s: not done, the load was over",
  ]);
});

test("what servers refused meanwhile is counted", () => {
  const text = linesOf([fault({ atMs: 10_000, endMs: 15_000, recoveryMs: 0 })], { store_unavailable: 1_234 });
  expect(text).toMatch(/\nrefused {5}store_unavailable 1,234 \(devices try again\)$/);
});
