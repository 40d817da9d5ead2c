import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { FanOutPace } from "./fan-out-pace.ts";
import { FanOutStopped } from "./fan-out-stopped.ts";

const random = createSeededRandom(3);
const groupId = (): Uuid => createUuidV7(1, random);
const chunk = limits.membersPerGroupMax / limits.fanOutChunks;

let clock: ManualClock;
let pace: FanOutPace;

beforeEach(() => {
  clock = new ManualClock();
  pace = new FanOutPace(clock);
});

interface Served {
  /** Ms from now at which each chunk was begun, once `run` was called. */
  readonly begun: number[];
  readonly done: number[];
  /** Of each step; its length is in members. */
  readonly steps: { readonly at: number; readonly members: number }[];
}

/** A message that is enqueued now, in chunks. */
function message(id: Uuid, tookMs = 0): Served {
  const enqueuedAt = clock.nowMs();
  const served: Served = { begun: [], done: [], steps: [] };
  const serve = async (): Promise<void> => {
    await pace.turn(id, chunk, enqueuedAt);
    served.begun.push(clock.nowMs() - enqueuedAt);
    await pace.inSteps(Array.from({ length: chunk }), enqueuedAt, async ({ length }) => {
      served.steps.push({ at: clock.nowMs() - enqueuedAt, members: length });
      if (tookMs > 0) await new Promise<void>((resolve) => clock.schedule(tookMs, resolve));
    });
    served.done.push(clock.nowMs() - enqueuedAt);
  };
  // A test that stops the pace ends those that wait.
  for (let index = 0; index < limits.fanOutChunks; index++) serve().catch(() => undefined);
  return served;
}

/** Fine steps: what is due runs to its end before time goes on, or it would look slow. */
async function run(ms: number): Promise<void> {
  for (let step = 0; step < ms; step++) {
    await settled();
    clock.advance(1);
  }
  await settled();
}

async function settled(): Promise<void> {
  for (let reaction = 0; reaction < 12; reaction++) await Promise.resolve();
}

describe("a message to a group of a thousand", () => {
  test("is told over some seconds although nothing else is going on: half of it in the first half", async () => {
    const { begun, done, steps } = message(groupId());
    await run(8_000);
    expect(begun).toEqual(Array.from({ length: limits.fanOutChunks }, () => 0));
    expect(done).toHaveLength(limits.fanOutChunks);
    const last = done.at(-1) ?? 0;
    expect(last).toBeGreaterThan(5_000);
    const half = steps.filter(({ at }) => at < last / 2).reduce((sum, { members }) => sum + members, 0);
    expect(half).toBeGreaterThan(limits.membersPerGroupMax / 2);
    expect(half).toBeLessThan((limits.membersPerGroupMax * 3) / 4);
    for (const { members } of steps) expect(members).toBeLessThanOrEqual(limits.fanOutStepMembers);
  });

  test("is told more slowly, within ten seconds, when steps take ever longer", async () => {
    const id = groupId();
    message(id, 10);
    await run(limits.fanOutSpreadMs);
    const { done } = message(id, 100);
    await run(limits.fanOutSpreadMs);
    expect(done).toHaveLength(limits.fanOutChunks);
    expect(done.at(-1)).toBeGreaterThan(4_000);
  });

  test("right after another one is spread over the time that is meant for it", async () => {
    const id = groupId();
    message(id);
    await run(500);
    const { begun } = message(id);
    await run(limits.fanOutCeilingMs);
    expect(begun).toHaveLength(limits.fanOutChunks);
    expect(begun[0]).toBeGreaterThan(500);
    expect(begun.at(-1)).toBeGreaterThan(limits.fanOutSpreadMs - 1_500);
    expect(begun.at(-1)).toBeLessThanOrEqual(limits.fanOutSpreadMs + 20);
    const gaps = begun.slice(1).map((at, index) => at - (begun[index] ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThan(limits.fanOutSpreadMs / limits.fanOutChunks - 20);
  });

  test("of another group does not wait for one that is busy", async () => {
    const busy = groupId();
    for (let count = 0; count < 3; count++) message(busy);
    await run(2_000);
    const { done } = message(groupId());
    await run(limits.fanOutSpreadMs);
    expect(done).toHaveLength(limits.fanOutChunks);
  });
});

describe("when more comes than can be done", () => {
  test("nobody waits longer than the bound, whatever is ahead", { timeout: 20_000 }, async () => {
    // Twice what could be served by then at the highest rate.
    const all = Array.from({ length: 100 }, () => message(groupId()));
    await run(limits.fanOutCeilingMs);
    for (const { done } of all) expect(done).toHaveLength(limits.fanOutChunks);
    const last = Math.max(...all.flatMap(({ done }) => done));
    expect(last).toBeGreaterThan(limits.fanOutWaitMs);
    expect(last).toBeLessThan(limits.fanOutCeilingMs - 1_000);
  });

  test("the process serves no more than its rate until then", async () => {
    const all = Array.from({ length: 40 }, () => message(groupId()));
    await run(3_000);
    const members = all.flatMap(({ steps }) => steps).reduce((sum, step) => sum + step.members, 0);
    expect(members).toBeGreaterThan(2 * limits.fanOutMembersPerSecond);
    expect(members).toBeLessThanOrEqual(3.1 * limits.fanOutMembersPerSecond);
  });

  test("steps that a store does not serve make those of others slower", async () => {
    message(groupId());
    await run(limits.fanOutSpreadMs);
    const steps = Array.from({ length: limits.fanOutStepMembers });
    for (let count = 0; count < 10; count++) {
      const failing = pace.inSteps(steps, clock.nowMs(), () => Promise.reject(new WireError("store_unavailable")));
      const [outcome] = await Promise.all([Promise.allSettled([failing]), run(200)]);
      expect(outcome[0]?.status).toBe("rejected");
    }
    const all = Array.from({ length: 40 }, () => message(groupId()));
    await run(300);
    const members = all.flatMap(({ steps: done }) => done).reduce((sum, step) => sum + step.members, 0);
    expect(members).toBeLessThan(limits.fanOutMembersPerSecond * 0.1);
  });

  test("a job that is old already has its turn at once, and its steps as well", async () => {
    const id = groupId();
    for (let count = 0; count < 4; count++) message(id);
    const served: number[] = [];
    const enqueuedAt = clock.nowMs() - limits.fanOutCeilingMs;
    const serving = pace
      .turn(id, chunk, enqueuedAt)
      .then(() =>
        pace.inSteps(Array.from({ length: chunk }), enqueuedAt, async ({ length }) => void served.push(length)),
      );
    await run(0);
    await serving;
    expect(served.reduce((sum, length) => sum + length, 0)).toBe(chunk);
  });

  test("an enqueuer whose clock runs ahead makes nobody wait longer than the bound", async () => {
    const id = groupId();
    for (let count = 0; count < 50; count++) message(id);
    let had = false;
    void pace.turn(id, chunk, clock.nowMs() + 300_000).then(() => (had = true));
    await run(limits.fanOutWaitMs + 10);
    expect(had).toBe(true);
  });
});

test("stopping ends every wait, and nobody gets a turn afterwards", async () => {
  const id = groupId();
  message(id);
  await run(1_000);
  const waiting = pace.turn(id, limits.membersPerGroupMax, clock.nowMs());
  pace.stop();
  await expect(waiting).rejects.toBeInstanceOf(FanOutStopped);
  await expect(pace.turn(groupId(), 1, clock.nowMs())).rejects.toBeInstanceOf(FanOutStopped);
});
