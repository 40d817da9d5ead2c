import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/core-ports/manual-clock.ts";
import { Belief } from "./belief.ts";
import { createGroupView, DirectoryCache } from "./directory-cache.ts";

const viewOf = (groupId: string, clock: ManualClock) =>
  createGroupView(
    { groupId, name: "", creatorId: "ann", createdAt: 0, membership: 1, members: [] },
    1,
    clock.monotonicMs(),
  );

/** On a bus that says nothing. */
function createDirectory(clock: ManualClock, ttlMs: number): DirectoryCache {
  const bus = { hearing: () => ({ sinceMs: Infinity, toMs: -Infinity }) };
  return new DirectoryCache(new Belief({ bus, clock }, ttlMs));
}

describe("cached groups", () => {
  test("end when their group changes, and with their lifetime", () => {
    const clock = new ManualClock();
    const directory = createDirectory(clock, 1_000);
    directory.put(viewOf("one", clock));
    directory.put(viewOf("two", clock));
    directory.hear({ notice: "group_changed", groupId: "one", version: 2 });
    expect(directory.group("one")).toBeUndefined();
    clock.advance(1_000);
    expect(directory.group("two")).toBeDefined();
    clock.advance(1);
    expect(directory.group("two")).toBeUndefined();
  });

  test("are not kept when their reading began before the notice of a change", () => {
    const clock = new ManualClock();
    const directory = createDirectory(clock, Infinity);
    const [one, two] = [viewOf("one", clock), viewOf("two", clock)];
    clock.advance(1);
    directory.hear({ notice: "group_changed", groupId: "one", version: 2 });
    directory.put(one);
    directory.put(two);
    expect(directory.group("one")).toBeUndefined();
    expect(directory.group("two")).toBeDefined();
    directory.put(viewOf("one", clock));
    expect(directory.group("one")).toBeDefined();
  });

  test("live as long as the only writer says nothing", () => {
    const clock = new ManualClock();
    const directory = createDirectory(clock, Infinity);
    directory.put(viewOf("one", clock));
    clock.advance(10 ** 9);
    expect(directory.group("one")).toBeDefined();
  });

  test("are bounded: the first to come goes first", () => {
    const clock = new ManualClock();
    const directory = createDirectory(clock, Infinity);
    for (let index = 0; index <= DirectoryCache.entriesMax; index++) directory.put(viewOf(`g${index}`, clock));
    expect(directory.group("g0")).toBeUndefined();
    expect(directory.group("g1")).toBeDefined();
  });
});
