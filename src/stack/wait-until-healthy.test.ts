import { describe, expect, it } from "vitest";
import { waitUntilHealthy, type HealthWait } from "./wait-until-healthy.ts";

/** A process that answers from `answersAtMs` on, on a clock that only sleeping moves. */
function waiting(answersAtMs: number, overrides: Partial<HealthWait> = {}) {
  let nowMs = 0;
  return waitUntilHealthy({
    address: { host: "127.0.0.1", port: 1 },
    probe: () => Promise.resolve(nowMs >= answersAtMs),
    readyWithinMs: 1_000,
    isOwn: () => true,
    ended: () => undefined,
    signal: new AbortController().signal,
    sleep(milliseconds) {
      nowMs += milliseconds;
      return Promise.resolve();
    },
    nowMs: () => nowMs,
    ...overrides,
  });
}

describe("waitUntilHealthy", () => {
  it("asks until there is an answer", async () => {
    expect(await waiting(900)).toBe("healthy");
  });

  it("gives up when the time is over", async () => {
    expect(await waiting(1_500)).toBe("late");
  });

  it("tells how the process ended instead of waiting on", async () => {
    expect(await waiting(Infinity, { ended: () => "ended with exit code 1" })).toEqual({
      ended: "ended with exit code 1",
    });
  });

  it("does not take the answer of another process for its own", async () => {
    expect(await waiting(0, { isOwn: () => false })).toBe("late");
  });

  it("stops when it is told to", async () => {
    expect(await waiting(Infinity, { signal: AbortSignal.abort() })).toBe("interrupted");
  });
});
