import { describe, expect, test } from "vitest";
import {
  growthLimits,
  growthOf,
  isDrained,
  leftInQueues,
  memoryGrowthBytes,
  type ServerGrowth,
} from "./server-growth.ts";
import { ServerReadings } from "./server-readings.ts";

const mebibyte = 1024 * 1024;
const seconds = 90;
const faultSecond = 20;
const loadEndMs = 80_000;
const killed = { from: 20, to: 40 };

interface Second {
  readonly rssMiB?: number;
  readonly frames?: number;
  readonly clientBytes?: number;
}

/** Server-2 as it is read once a second, dead from 20 to 40 s; what it holds at each second is `of`'s to say. */
function grown(of: (second: number, process: number) => Second, readings = new ServerReadings()): ServerGrowth {
  for (let second = 1; second <= seconds; second++) {
    if (second > killed.from && second < killed.to) continue;
    const process = second <= killed.from ? 1 : 2;
    const { rssMiB = 150, frames = 30, clientBytes = 4_000 } = of(second, process);
    const isOver = second * 1_000 > loadEndMs;
    readings.noteMemory("server-2", 100 + process, second * 1_000, rssMiB * mebibyte);
    readings.noteQueues("server-2", 100 + process, second * 1_000, {
      entries: { frames: isOver ? Math.max(0, frames - 30) : frames },
      bytes: { clients: isOver ? Math.max(0, clientBytes - 4_000) : clientBytes },
    });
  }
  const [history] = readings.histories();
  if (history === undefined) throw new Error("no readings");
  return growthOf(history, { sinceMs: faultSecond * 1_000, loadEndMs });
}

describe("what a server holds", () => {
  test("that takes what it always took has not grown, and nothing is left in it", () => {
    const growth = grown(() => ({}));
    expect(growth).toMatchObject({
      server: "server-2",
      processes: 2,
      memory: { beforeBytes: 150 * mebibyte, peakBytes: 150 * mebibyte, endBytes: 150 * mebibyte },
      queues: [
        { queue: "frames", unit: "entries", before: 30, peak: 30, end: 0 },
        { queue: "clients", unit: "bytes", before: 4_000, peak: 4_000, end: 0 },
      ],
    });
    expect(memoryGrowthBytes([growth])).toBe(0);
    expect(isDrained([growth])).toBe(true);
  });

  test("a process after the kill is measured against the one before it", () => {
    const fresh = grown((second, process) => ({ rssMiB: process === 1 ? 150 : second === 60 ? 220 : 90 }));
    expect(memoryGrowthBytes([fresh])).toBe(70 * mebibyte);
    expect(fresh.memory?.endBytes).toBe(90 * mebibyte);
  });

  test("a process that leaks and is killed has leaked: its peak counts", () => {
    const readings = new ServerReadings();
    for (let second = 1; second <= 10; second++) readings.noteMemory("a", 1, second * 1_000, second * mebibyte);
    readings.noteMemory("a", 2, 12_000, mebibyte);
    const growth = readings.histories().map((history) => growthOf(history, { sinceMs: 3_000, loadEndMs: 11_000 }));
    expect(growth[0]?.memory).toEqual({ beforeBytes: 3 * mebibyte, peakBytes: 10 * mebibyte, endBytes: mebibyte });
  });

  test("memory that only grows is beyond the ceiling", () => {
    const leak = grown((second) => ({ rssMiB: 150 + second * 8 }));
    expect(memoryGrowthBytes([grown(() => ({})), leak])).toBe((seconds - faultSecond) * 8 * mebibyte);
    expect(memoryGrowthBytes([leak]) ?? 0).toBeGreaterThan(growthLimits.memoryBytes);
  });

  test("a queue that swells and falls back has drained; one that only grows has not", () => {
    const burst = grown((second) => ({ frames: second > 40 && second < 50 ? 900 : 30 }));
    expect(burst.queues[0]).toMatchObject({ before: 30, peak: 900, end: 0 });
    expect(isDrained([burst])).toBe(true);
    const leak = grown((second) => ({ frames: 30 + second }));
    expect(leftInQueues([burst, leak], "entries")).toBe(seconds - 31);
    expect(isDrained([burst, leak])).toBe(false);
    const bytes = grown((second) => ({ clientBytes: 4_000 + second * 2_000 }));
    expect(leftInQueues([bytes], "bytes")).toBe(seconds * 2_000 - 6_000);
    expect(isDrained([bytes])).toBe(false);
  });

  test("the lowest level before counts: a burst just then excuses nothing", () => {
    const growth = grown((second) => ({
      frames: second === faultSecond ? 500 : second > loadEndMs / 1_000 ? 530 : 30,
    }));
    expect(growth.queues[0]).toMatchObject({ before: 30, end: 500 });
  });

  test("a server that was not read, or not after the load, is not known to have drained", () => {
    expect(memoryGrowthBytes([])).toBeUndefined();
    const unread = growthOf({ server: "server-1", processes: [] }, { sinceMs: 0, loadEndMs });
    expect(unread).toEqual({ server: "server-1", processes: 0, memory: undefined, queues: [] });
    expect([memoryGrowthBytes([unread]), leftInQueues([unread], "entries")]).toEqual([undefined, undefined]);
    const readings = new ServerReadings();
    readings.noteQueues("server-1", 1, 1_000, { entries: { frames: 0 }, bytes: { clients: 0 } });
    readings.noteMemory("server-1", 1, 1_000, mebibyte);
    const early = readings.histories().map((history) => growthOf(history, { sinceMs: 0, loadEndMs }));
    expect(early[0]?.memory).toEqual({ beforeBytes: mebibyte, peakBytes: mebibyte, endBytes: undefined });
    expect([leftInQueues(early, "entries"), isDrained(early)]).toEqual([undefined, false]);
  });
});

test("readings stay bounded, and keep their peaks and the last one", () => {
  const readings = new ServerReadings(8);
  for (let second = 1; second <= 1_000; second++) {
    readings.noteMemory("a", 1, second * 1_000, second === 333 ? 9_999 : second);
    const entries = { frames: second === 500 ? 77 : 0 };
    readings.noteQueues("a", 1, second * 1_000, { entries, bytes: { clients: second } });
  }
  readings.noteMemory("a", 1, 1_000_500, 0);
  const [process] = readings.histories()[0]?.processes ?? [];
  expect([process?.memory.length, process?.queues.length].every((count = 99) => count <= 8)).toBe(true);
  expect(Math.max(...(process?.memory ?? []).map(({ rssBytes }) => rssBytes))).toBe(9_999);
  expect(process?.memory.at(-1)).toEqual({ atMs: 1_000_000, rssBytes: 1_000 });
  expect(Math.max(...(process?.queues ?? []).map(({ levels }) => levels.entries["frames"] ?? 0))).toBe(77);
  expect(process?.queues.at(-1)?.levels).toEqual({ entries: { frames: 0 }, bytes: { clients: 1_000 } });
});
