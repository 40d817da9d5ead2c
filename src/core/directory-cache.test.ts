import { describe, expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/core-ports/manual-clock.ts";
import { createGroupView, DirectoryCache } from "./directory-cache.ts";

const viewOf = (groupId: string, clock: ManualClock) =>
  createGroupView(
    { groupId, name: "", creatorId: "ann", createdAt: 0, membership: 1, members: [] },
    1,
    clock.monotonicMs(),
  );

describe("cached groups", () => {
  test("end when their group changes, and with their lifetime", () => {
    const clock = new ManualClock();
    const directory = new DirectoryCache(clock, 1_000);
    directory.put(viewOf("one", clock));
    directory.put(viewOf("two", clock));
    directory.hear({ notice: "group_changed", groupId: "one", version: 2 });
    expect(directory.group("one")).toBeUndefined();
    clock.advance(1_000);
    expect(directory.group("two")).toBeDefined();
    clock.advance(1);
    expect(directory.group("two")).toBeUndefined();
  });

  test("live as long as the only writer says nothing", () => {
    const clock = new ManualClock();
    const directory = new DirectoryCache(clock, Infinity);
    directory.put(viewOf("one", clock));
    clock.advance(10 ** 9);
    expect(directory.group("one")).toBeDefined();
  });

  test("are bounded: the first to come goes first", () => {
    const clock = new ManualClock();
    const directory = new DirectoryCache(clock, Infinity);
    for (let index = 0; index <= DirectoryCache.entriesMax; index++) directory.put(viewOf(`g${index}`, clock));
    expect(directory.group("g0")).toBeUndefined();
    expect(directory.group("g1")).toBeDefined();
  });
});
