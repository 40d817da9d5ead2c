import { describe, expect, test } from "vitest";
import { RunStats } from "../stats/run-stats.ts";
import { Timeline } from "../stats/timeline.ts";
import type { FaultEvent } from "./fault-event.ts";
import { judgeRecovery, slowestRecoveryMs } from "./recovery.ts";

const seconds = 60;
const perSecond = 40;

/** A second in which so many operations succeed and so many messages arrive; by default as many as asked for. */
interface Second {
  readonly succeeded?: number;
  readonly delivered?: number;
}

function run(length: number, odd: (second: number) => Second | undefined): RunStats {
  const stats = new RunStats(
    [{ name: "direct" }],
    new Timeline([{ name: "steady", durationMs: length * 1_000, record: true }]),
  );
  for (let second = 0; second < length; second++) {
    const { succeeded = perSecond, delivered = perSecond } = odd(second) ?? {};
    const at = (n: number, of: number): number => second * 1_000 + (n / Math.max(1, of)) * 999;
    for (let n = 0; n < succeeded; n++) stats.ended(0, at(n, succeeded), at(n, succeeded), at(n, succeeded), true);
    for (let n = 0; n < delivered; n++) stats.delivered(0, at(n, delivered), at(n, delivered), "each");
  }
  return stats;
}

function fault(atSecond: number, endSecond: number): FaultEvent {
  const [atMs, endMs] = [atSecond * 1_000, endSecond * 1_000];
  return { do: "store.pause", which: "redis", plannedAtMs: atMs, forMs: endMs - atMs, atMs, endMs };
}

const judge = (events: readonly FaultEvent[], stats: RunStats) => judgeRecovery(events, { stats, closed: [false] });
const silence = { succeeded: 0, delivered: 0 };

describe("recovery after a fault", () => {
  test("is at once when nothing was to be seen of it", () => {
    const [outcome] = judge(
      [fault(20, 25)],
      run(seconds, () => undefined),
    );
    expect(outcome).toMatchObject({ firstSuccessMs: 0, recoveryMs: 0, ok: true });
  });

  test("is not known where nothing went steadily before", () => {
    const stats = run(seconds, (second) => (second >= 2 && second < 7 ? silence : undefined));
    expect(judge([fault(2, 7)], stats)[0]).toMatchObject({ recoveryMs: undefined, ok: false });
  });

  test("takes one of a flow that is too thin for a second to tell", () => {
    const thin = { succeeded: 1, delivered: 1 };
    const dead = run(seconds, (second) => (second < 20 ? thin : silence));
    expect(judge([fault(20, 25)], dead)[0]).toMatchObject({ recoveryMs: undefined, ok: false });
    const back = run(seconds, (second) => (second < 20 || second >= 30 ? thin : silence));
    expect(judge([fault(20, 25)], back)[0]).toMatchObject({ recoveryMs: 3_000, ok: true });
    const alive = run(seconds, (second) => (second % 3 === 0 ? { succeeded: 3, delivered: 3 } : silence));
    expect(judge([fault(20, 25)], alive)[0]).toMatchObject({ recoveryMs: 0, ok: true });
  });

  test("is counted from the end of the fault to the first of three full seconds", () => {
    // A first success, one more, then a relapse: not full yet.
    const stats = run(seconds, (second) => {
      if (second >= 20 && second < 27) return silence;
      if (second === 27 || second === 29) return { succeeded: 5, delivered: 5 };
      return undefined;
    });
    const [outcome] = judge([fault(20, 25)], stats);
    expect(outcome).toMatchObject({ firstSuccessMs: 2_000, recoveryMs: 5_000, ok: true });
  });

  test("takes more than answers: messages have to arrive as before", () => {
    const stats = run(seconds, (second) => (second >= 20 && second < 33 ? { delivered: 10 } : undefined));
    expect(judge([fault(20, 25)], stats)[0]).toMatchObject({ firstSuccessMs: 0, recoveryMs: 8_000 });
  });

  test("is not proved by what piled up and comes at once", () => {
    const stats = run(seconds, (second) => {
      if (second >= 20 && second < 25) return silence;
      return second === 25 ? { succeeded: 500, delivered: 500 } : second < 40 && second > 25 ? silence : undefined;
    });
    expect(judge([fault(20, 25)], stats)[0]).toMatchObject({ firstSuccessMs: 0, recoveryMs: 15_000 });
  });

  test("allows for what chance takes, not for a tenth less and more", () => {
    const chance = run(seconds, (second) => ({ succeeded: perSecond - (second % 2) * 15 }));
    expect(judge([fault(20, 25)], chance)[0]).toMatchObject({ recoveryMs: 0 });
    const half = run(seconds, (second) => (second >= 20 ? { succeeded: perSecond / 3 } : undefined));
    expect(judge([fault(20, 25)], half)[0]).toMatchObject({ recoveryMs: undefined, ok: false });
  });

  test("is not ok after more than thirty seconds, and unknown when the next fault comes first", () => {
    const stats = run(seconds, (second) => (second >= 10 && second < 50 ? silence : undefined));
    expect(judge([fault(10, 15)], stats)[0]).toMatchObject({ recoveryMs: 35_000, ok: false });
    const outcomes = judge([fault(10, 15), fault(40, 42)], stats);
    expect(outcomes[0]).toMatchObject({ recoveryMs: undefined, ok: false });
    expect(outcomes[1]).toMatchObject({ recoveryMs: 8_000, ok: true });
    expect(slowestRecoveryMs(outcomes)).toBeUndefined();
    expect(slowestRecoveryMs(outcomes.slice(1))).toBe(8_000);
  });

  test("of faults at one time is counted from the end of the last", () => {
    const stats = run(seconds, (second) => (second >= 10 && second < 20 ? silence : undefined));
    const outcomes = judge([fault(10, 13), fault(12, 19)], stats);
    expect(outcomes.map(({ recoveryMs }) => recoveryMs)).toEqual([1_000, 1_000]);
  });

  test("of a fault that did not take place is not ok", () => {
    const event = { ...fault(20, 25), atMs: undefined, endMs: undefined };
    expect(
      judge(
        [event],
        run(seconds, () => undefined),
      )[0],
    ).toMatchObject({ ok: false });
  });
});
