import { describe, expect, test } from "vitest";
import { createDeferred } from "../base/deferred.ts";
import type { PresenceState } from "../core/ports/presence.ts";
import { limits } from "../protocol/limits.ts";
import type { ServerFrame } from "../protocol/frames/server-frames.ts";
import { PresenceWatch, presenceCoalesceMs, presenceRefreshMs, type PresentConnection } from "./presence-watch.ts";

function createWatch() {
  const states = new Map<string, PresenceState>();
  const hidden = new Set<string>();
  const timers: (() => void)[] = [];
  const errors: unknown[] = [];
  const time = { now: 1_000 };
  const [wanted, released]: [(readonly string[])[], (readonly string[])[]] = [[], []];
  const told: string[] = [];
  /** What the next questions of who may watch wait for. */
  const delays: Promise<void>[] = [];
  const elsewhere = { tells: (_userIds: readonly string[]): void => {} };
  const watch = new PresenceWatch({
    presence: {
      beat: async (userId, _device, _connection, at) => void states.set(userId, { online: true, lastSeenAt: at }),
      leave: async (userId, _device, _connection, at) => void states.set(userId, { online: false, lastSeenAt: at }),
      lookup: async (userIds) => userIds.map((userId) => states.get(userId) ?? { online: false, lastSeenAt: 0 }),
    },
    interest: {
      want: async (userIds) => void wanted.push(userIds),
      release: async (userIds) => void released.push(userIds),
      tell: (userId) => void told.push(userId),
      onTold: (handler) => (elsewhere.tells = handler),
    },
    people: {
      mayWatch: async (_caller, userIds) => {
        await delays.shift();
        return new Set(userIds.filter((userId) => !hidden.has(userId)));
      },
    },
    clock: {
      nowMs: () => time.now,
      monotonicMs: () => time.now,
      schedule: (delayMs, run) => {
        expect(delayMs).toBe(presenceCoalesceMs);
        timers.push(run);
        return { cancel: () => {} };
      },
    },
    onError: (error) => void errors.push(error),
  });
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    for (const run of timers.splice(0)) run();
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { watch, states, hidden, timers, errors, time, settle, wanted, released, told, elsewhere, delays };
}

function connect(userId: string) {
  const sent: ServerFrame[] = [];
  const connection: PresentConnection & { sent: ServerFrame[] } = {
    id: `c-${userId}`,
    caller: { userId, device: 1 },
    present: false,
    memory: { watched: undefined },
    sent,
    send: (frame) => void sent.push(frame),
  };
  return connection;
}

describe("PresenceWatch", () => {
  test("answers at once, tells changes once, and not what is no news", async () => {
    const { watch, settle, time } = createWatch();
    const [viewer, other] = [connect("viewer"), connect("other")];
    await watch.watch(viewer, ["other"]);
    expect(viewer.sent).toEqual([{ type: "PRESENCE", user_id: "other", online: false }]);
    watch.beat(other);
    await settle();
    time.now = 31_000;
    watch.beat(other);
    await settle();
    watch.leave(other);
    await settle();
    expect(viewer.sent.slice(1)).toMatchObject([{ online: true }, { online: false, last_seen: 31_000 }]);
  });

  test("several changes within the window are one push", async () => {
    const { watch, settle, timers } = createWatch();
    const [viewer, other] = [connect("viewer"), connect("other")];
    await watch.watch(viewer, ["other"]);
    for (let round = 0; round < 5; round++) {
      watch.leave(other);
      watch.beat(other);
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(timers.length).toBeLessThanOrEqual(1);
    await settle();
    expect(viewer.sent).toHaveLength(2);
  });

  test("who comes to be hidden looks offline from the next push on, without a last seen", async () => {
    const { watch, settle, hidden, time } = createWatch();
    const [viewer, other] = [connect("viewer"), connect("other")];
    watch.beat(other);
    await watch.watch(viewer, ["other"]);
    hidden.add("other");
    time.now += presenceRefreshMs;
    watch.tick();
    await settle();
    expect(viewer.sent.map(({ type: _type, ...rest }) => rest)).toEqual([
      { user_id: "other", online: true, last_seen: 1_000 },
      { user_id: "other", online: false },
    ]);
  });

  test("changes that happened elsewhere come with the refresh", async () => {
    const { watch, settle, states, time } = createWatch();
    const viewer = connect("viewer");
    await watch.watch(viewer, ["other"]);
    watch.tick();
    await settle();
    states.set("other", { online: true, lastSeenAt: 5 });
    watch.tick();
    await settle();
    expect(viewer.sent).toHaveLength(1);
    time.now += presenceRefreshMs;
    watch.tick();
    await settle();
    expect(viewer.sent).toHaveLength(2);
  });

  test("what another process tells of is looked up at once, not with the refresh", async () => {
    const { watch, settle, states, elsewhere } = createWatch();
    const viewer = connect("viewer");
    await watch.watch(viewer, ["other"]);
    states.set("other", { online: true, lastSeenAt: 5 });
    elsewhere.tells(["other", "nobody watches"]);
    await settle();
    expect(viewer.sent).toMatchObject([{ online: false }, { online: true }]);
  });

  test("a look that a later one overtook tells nothing", async () => {
    const { watch, states, settle, delays } = createWatch();
    const [alice, bob] = [connect("alice"), connect("bob")];
    await watch.watch(bob, ["alice"]);
    states.set("alice", { online: true, lastSeenAt: 1_000 });
    const slow = createDeferred<void>();
    delays.push(slow.promise);
    watch.heard(["alice"]);
    await settle();
    states.set("alice", { online: false, lastSeenAt: 2_000 });
    watch.heard(["alice"]);
    await settle();
    slow.resolve();
    await settle();
    expect(bob.sent.at(-1)).toEqual({ type: "PRESENCE", user_id: "alice", online: false, last_seen: 2_000 });
    expect(bob.sent.filter((frame) => frame.type === "PRESENCE" && frame.online)).toEqual([]);
    watch.beat(alice);
    await settle();
    expect(bob.sent.at(-1)).toMatchObject({ online: true });
  });

  test("other processes are told of comings, goings and what is shared, not of heartbeats", async () => {
    const { watch, settle, told } = createWatch();
    const other = connect("other");
    watch.beat(other);
    await settle();
    watch.beat(other);
    await settle();
    expect(told).toEqual(["other"]);
    watch.leave(other);
    await settle();
    watch.changed("other");
    expect(told).toEqual(["other", "other", "other"]);
  });

  test("news are wanted before the first look, again with each refresh, and no more after the last watcher", async () => {
    const { watch, settle, wanted, released, time } = createWatch();
    const [one, two] = [connect("one"), connect("two")];
    const watching = watch.watch(one, ["other"]);
    expect([wanted, one.sent]).toEqual([[["other"]], []]);
    await watching;
    await watch.watch(two, ["other"]);
    time.now += presenceRefreshMs;
    watch.tick();
    await settle();
    expect(wanted.at(-1)).toEqual(["other"]);
    watch.forget(one);
    expect(released).toEqual([]);
    watch.unwatch(two, ["other"]);
    expect(released).toEqual([["other"]]);
    time.now += presenceRefreshMs;
    watch.tick();
    expect(wanted.at(-1)).toEqual([]);
  });

  test("one connection watches at most its limit, counting each user once", async () => {
    const { watch } = createWatch();
    const viewer = connect("viewer");
    const many = Array.from({ length: limits.watchedUsersMax }, (_, at) => `u${at}`);
    expect(await watch.watch(viewer, [...many, ...many])).toBe(true);
    expect(await watch.watch(viewer, ["u1"])).toBe(true);
    expect(await watch.watch(viewer, ["one more"])).toBe(false);
    watch.unwatch(viewer, ["u1"]);
    expect(await watch.watch(viewer, ["one more"])).toBe(true);
  });

  test("a connection that is forgotten is told nothing and leaves nothing behind", async () => {
    const { watch, settle, timers } = createWatch();
    const [viewer, other] = [connect("viewer"), connect("other")];
    await watch.watch(viewer, ["other"]);
    watch.forget(viewer);
    watch.beat(other);
    await settle();
    expect([viewer.sent.length, timers.length]).toEqual([1, 0]);
  });

  test("a store that fails is reported, not thrown", async () => {
    const { settle, errors } = createWatch();
    const broken = connect("broken");
    const failing = new PresenceWatch({
      presence: {
        beat: () => Promise.reject(new Error("gone")),
        leave: () => Promise.reject(new Error("gone")),
        lookup: () => Promise.reject(new Error("gone")),
      },
      interest: undefined,
      people: { mayWatch: async () => new Set() },
      clock: { nowMs: () => 0, monotonicMs: () => 0, schedule: () => ({ cancel: () => {} }) },
      onError: (error) => void errors.push(error),
    });
    failing.beat(broken);
    failing.beat(broken);
    failing.leave(broken);
    await settle();
    expect(errors).toHaveLength(3);
  });
});
