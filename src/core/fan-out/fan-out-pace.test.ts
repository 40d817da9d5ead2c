import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { FanOutPace, FanOutStopped } from "./fan-out-pace.ts";

const random = createSeededRandom(3);
const groupId = (): Uuid => createUuidV7(1, random);
const chunk = limits.membersPerGroupMax / limits.fanOutChunks;

let clock: ManualClock;
let pace: FanOutPace;

beforeEach(() => {
  clock = new ManualClock();
  pace = new FanOutPace(clock);
});

/** When each chunk of a message that is enqueued now has its turn, in ms from now, once `run` was called. */
function message(id: Uuid): number[] {
  const begun = clock.nowMs();
  const turns: number[] = [];
  for (let index = 0; index < limits.fanOutChunks; index++) {
    void pace.turn(id, chunk, begun).then(() => turns.push(clock.nowMs() - begun));
  }
  return turns;
}

async function run(ms: number): Promise<void> {
  for (let step = 0; step < ms; step += 10) {
    for (let reaction = 0; reaction < 4; reaction++) await Promise.resolve();
    clock.advance(10);
  }
  for (let reaction = 0; reaction < 4; reaction++) await Promise.resolve();
}

describe("a message to a group of a thousand", () => {
  test("reaches everyone within a fraction of a second when nothing else is going on, and never in one go", async () => {
    const turns = message(groupId());
    await run(1_000);
    expect(turns).toHaveLength(limits.fanOutChunks);
    expect(turns[0]).toBe(0);
    expect(turns.at(-1)).toBeGreaterThan(100);
    expect(turns.at(-1)).toBeLessThanOrEqual(
      ((limits.membersPerGroupMax - limits.fanOutBurstMembers) / limits.fanOutMembersPerSecond) * 1_000 + 20,
    );
  });

  test("right after another one is spread over the time that is meant for it", async () => {
    const id = groupId();
    message(id);
    await run(500);
    const turns = message(id);
    await run(limits.fanOutCeilingMs);
    expect(turns).toHaveLength(limits.fanOutChunks);
    expect(turns[0]).toBeGreaterThan(500);
    expect(turns.at(-1)).toBeGreaterThan(limits.fanOutSpreadMs - 1_500);
    expect(turns.at(-1)).toBeLessThanOrEqual(limits.fanOutSpreadMs + 20);
    const gaps = turns.slice(1).map((at, index) => at - (turns[index] ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThan(limits.fanOutSpreadMs / limits.fanOutChunks - 20);
  });

  test("of another group does not wait for one that is busy", async () => {
    const busy = groupId();
    for (let count = 0; count < 3; count++) message(busy);
    await run(2_000);
    const turns = message(groupId());
    await run(1_000);
    expect(turns).toHaveLength(limits.fanOutChunks);
  });
});

describe("when more comes than can be done", () => {
  test("nobody waits longer than the bound, whatever is ahead", async () => {
    const all = Array.from({ length: 200 }, () => message(groupId()));
    await run(limits.fanOutWaitMs + 20);
    for (const turns of all) expect(turns).toHaveLength(limits.fanOutChunks);
    const last = all.flat().toSorted((one, other) => other - one)[0];
    expect(last).toBeGreaterThan(limits.fanOutWaitMs - 100);
    expect(last).toBeLessThanOrEqual(limits.fanOutWaitMs + 10);
  });

  test("the process serves no more than its rate until then", async () => {
    const all = Array.from({ length: 200 }, () => message(groupId()));
    await run(5_000);
    const members = all.flat().length * chunk;
    expect(members).toBeGreaterThan(4 * limits.fanOutMembersPerSecond);
    expect(members).toBeLessThanOrEqual(5.1 * limits.fanOutMembersPerSecond + limits.fanOutBurstMembers + chunk);
  });

  test("a job that is old already has its turn at once", async () => {
    const id = groupId();
    for (let count = 0; count < 4; count++) message(id);
    let had = false;
    void pace.turn(id, chunk, clock.nowMs() - limits.fanOutWaitMs).then(() => (had = true));
    await run(0);
    expect(had).toBe(true);
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
