import { describe, expect, test } from "vitest";
import type { FaultEvent } from "../faults/fault-event.ts";
import { checkPresence } from "./check-presence.ts";
import type { Life, PresenceObservations, Sight } from "./observations.ts";
import { isUnchecked, type PresenceVerdict, toFaults } from "./presence-verdict.ts";
import { clip, lengthMs, subtract, unite } from "./spans.ts";

/** Ann is at server-1 (0), who watches her at server-2 (1). Seconds, for people. */
const ann = "ann";

/** Heartbeats are answered after 10 ms; `beats`: when they were sent. */
function life(upS: number, downS: number | undefined, over: Partial<Life> & { beatsS?: readonly number[] } = {}): Life {
  const { beatsS, ...rest } = over;
  const every = Array.from({ length: 60 }, (_, at) => upS + 5 * (at + 1)).filter((at) => at < (downS ?? 200));
  return {
    userId: ann,
    device: 0,
    server: 0,
    askedAtMs: upS * 1_000 - 20,
    upAtMs: upS * 1_000,
    downAtMs: downS === undefined ? undefined : downS * 1_000,
    end: downS === undefined ? undefined : "left",
    beats: Float64Array.from((beatsS ?? every).flatMap((at) => [at * 1_000, at * 1_000 + 10])),
    ...rest,
  };
}

/** What was shown from each time on; the last entry is the last time at which anything was heard. */
function sights(...shown: readonly (readonly [atS: number, online: boolean])[]): Sight[] {
  return shown.slice(0, -1).map(([atS, online], index) => {
    const [toS] = shown[index + 1] as readonly [number, boolean];
    return { userId: ann, online, fromMs: atS * 1_000, toMs: toS * 1_000 };
  });
}

function fault(kind: FaultEvent["do"], which: string, atS: number, endS: number): FaultEvent {
  const forMs = (endS - atS) * 1_000;
  return { do: kind, which, plannedAtMs: atS * 1_000, forMs, atMs: atS * 1_000, endMs: endS * 1_000 };
}

function check(
  lives: readonly Life[],
  shown: readonly Sight[],
  faults: readonly FaultEvent[] = [],
  over: Partial<PresenceObservations> = {},
): PresenceVerdict {
  const watches = [{ watcher: 0, server: 1, sinceMs: shown[0]?.fromMs ?? 0, sights: shown }];
  return checkPresence([{ lives, watches, stalls: [], untilMs: Number.POSITIVE_INFINITY, ...over }], faults);
}

const kindsOf = ({ cases }: PresenceVerdict): readonly string[] => cases.map(({ kind }) => kind);

describe("a run in which all is well", () => {
  const lives = [life(10, 40), life(60, 80, { end: "vanished" })];
  const shown = sights([0, false], [10.2, true], [40.3, false], [60.4, true], [121, false], [150, false]);

  test("says how long each kind of change took, who saw it, and how much was looked at", () => {
    expect(check(lives, shown)).toEqual({
      users: 1,
      watchers: 1,
      // 11–35 s, 61–75 s for sure online; 41–60 s and from 122 s on nobody there (the last heartbeat was at 75 s).
      checkedMs: 24_000 + 18_980 + 14_000 + 27_990,
      excusedMs: 0,
      online: { count: 2, p50Ms: 200, maxMs: 400 },
      left: { count: 1, p50Ms: 300, maxMs: 300 },
      silent: { count: 1, p50Ms: 45_990, maxMs: 45_990 },
      killed: 0,
      cross: 4,
      excused: 0,
      falseOffline: 0,
      cases: [],
    });
  });

  test("what was seen through the user's own server is not counted as across", () => {
    const watches = [{ watcher: 0, server: 0, sinceMs: 0, sights: shown }];
    expect(check(lives, [], [], { watches })).toMatchObject({ cross: 0, online: { count: 2 } });
  });

  test("of two devices the one that leaves changes nothing, and one that comes makes nobody online again", () => {
    const two = [life(10, 30, { device: 1 }), life(5, 60)];
    expect(check(two, sights([0, false], [5.2, true], [60.2, false], [70, false]))).toMatchObject({
      online: { count: 1, maxMs: 200 },
      left: { count: 1, maxMs: 200 },
      cases: [],
    });
  });
});

describe("what is wrong is found", () => {
  test("offline in between, however briefly, of somebody who beats: a fault of the ledger", () => {
    const verdict = check([life(10, 60)], sights([0, false], [10.2, true], [30, false], [30.01, true], [60, true]));
    expect(verdict.falseOffline).toBe(1);
    expect(toFaults(verdict)).toEqual({
      counts: { false_offline: 1 },
      cases: [{ fault: "false_offline", detail: verdict.cases[0]?.detail }],
    });
    expect(verdict.cases[0]?.detail).toBe(
      "user ann, watched by 0 at server-2, was shown offline at 30.0 s for 10 ms, alive since 20000 ms",
    );
    expect(toFaults(check([life(10, 60)], sights([0, false], [10.2, true], [60, true])))).toEqual({
      counts: {},
      cases: [],
    });
  });

  test("offline as an answer of a new connection, of somebody whom another watcher has seen online since", () => {
    const fresh = { watcher: 0, server: 1, sinceMs: 19_900, sights: sights([20, false], [21, true], [40, true]) };
    const other = { watcher: 1, server: 1, sinceMs: 0, sights: sights([0, false], [10.2, true], [15, true]) };
    expect(kindsOf(check([life(10, 60)], [], [], { watches: [fresh, other] }))).toEqual(["false_offline"]);
    // It may have been looked up before the other one was told, or before the connection was made.
    const before = { ...fresh, sinceMs: 10_100 };
    expect(kindsOf(check([life(10, 60)], [], [], { watches: [before, other] }))).toEqual(["late_online"]);
    expect(kindsOf(check([life(10, 60)], [], [], { watches: [fresh] }))).toEqual(["late_online"]);
    // What the other one still shows is of a time before.
    const stale = { ...other, sights: sights([0, false], [5.2, true], [10.9, true]) };
    const lives = [life(5, 9.9, { end: "lost" }), life(10, 60)];
    expect(kindsOf(check(lives, [], [], { watches: [fresh, stale] }))).toEqual(["late_online"]);
  });

  test("old news of an earlier time are late, not false; what was said again is known", () => {
    const lives = [life(10, 20), life(20.3, 60)];
    const shown = (offlineS: number): Sight[] =>
      sights([0, false], [10.2, true], [offlineS, false], [offlineS + 1, true], [50, true]);
    expect(check(lives, shown(22))).toMatchObject({ falseOffline: 0, cases: [{ kind: "late_online" }] });
    expect(kindsOf(check(lives, shown(31)))).toEqual(["false_offline"]);
  });

  test("online, and within the same second offline again", () => {
    const verdict = check([life(10, 60)], sights([0, false], [10.2, true], [10.5, false], [15, true], [50, true]));
    expect(verdict).toMatchObject({ falseOffline: 1, online: { count: 1, maxMs: 200 } });
  });

  test("online too late", () => {
    const verdict = check([life(10, 60)], sights([0, false], [13, true], [50, true]));
    expect(verdict).toMatchObject({ online: { count: 1, maxMs: 3_000 }, falseOffline: 0 });
    expect(kindsOf(verdict)).toEqual(["late_online"]);
  });

  test("never online", () => {
    const verdict = check([life(10, 60)], sights([0, false], [90, false]));
    expect(verdict.cases[0]?.detail).toContain("was shown offline for at least 45000 ms after 10.0 s (server-1)");
  });

  test.each(["lost", "vanished"] as const)("online too long after the last heartbeat of one who is %s", (end) => {
    const lives = [life(10, 33, { end })];
    const shown = (untilS: number): Sight[] => sights([0, false], [10.2, true], [untilS, false], [150, false]);
    expect(check(lives, shown(76.9)).cases).toEqual([]);
    expect(kindsOf(check(lives, shown(77.5)))).toEqual(["late_silent"]);
  });

  test("online for ever after silence", () => {
    const verdict = check([life(10, 33, { end: "lost" })], sights([0, false], [10.2, true], [150, true]));
    expect(verdict).toMatchObject({ silent: { count: 1, maxMs: 119_990 }, cases: [{ kind: "late_silent" }] });
  });

  test("online too long after leaving", () => {
    const verdict = check([life(10, 33)], sights([0, false], [10.2, true], [36, false], [50, false]));
    expect(verdict).toMatchObject({ left: { count: 1, maxMs: 3_000 }, cases: [{ kind: "late_left" }] });
  });

  test("online again though nobody has come back", () => {
    const shown = sights([0, false], [10.2, true], [33.2, false], [60, true], [62, false], [70, false]);
    expect(kindsOf(check([life(10, 33)], shown))).toEqual(["late_left"]);
  });

  test("a connection that was lost makes nobody online once its device has another one, which leaves", () => {
    const lives = [life(10, 33, { end: "lost" }), life(34, 40)];
    const until = (untilS: number): readonly string[] =>
      kindsOf(check(lives, sights([0, false], [10.2, true], [untilS, false], [50, false])));
    expect(until(40.9)).toEqual([]);
    expect(until(43)).toEqual(["late_left"]);
    const [lost, other] = lives as [Life, Life];
    expect(
      check([lost, { ...other, device: 1 }], sights([0, false], [10.2, true], [75, false], [80, false])).cases,
    ).toEqual([]);
  });

  test("a user of a killed server who stays away, and is still online after the time for silence", () => {
    const kill = fault("server.kill", "server-1", 33, 38);
    const lives = [life(10, 33.05, { end: "lost" })];
    const shown = (untilS: number): Sight[] => sights([0, false], [10.2, true], [untilS, false], [150, false]);
    expect(check(lives, shown(48), [kill])).toMatchObject({ killed: 1, cases: [] });
    expect(check(lives, shown(90), [kill])).toMatchObject({ killed: 1, cases: [{ kind: "late_silent" }] });
  });
});

describe("what cannot be known is not judged", () => {
  test("a connection of which nothing was answered any more may have been gone", () => {
    const lives = [life(10, 60, { end: "lost", beatsS: [15, 20] })];
    const verdict = check(lives, sights([0, false], [10.2, true], [25, false], [59, false]));
    expect(verdict).toMatchObject({ falseOffline: 0, cases: [] });
    expect(kindsOf(check(lives, sights([0, false], [10.2, true], [18, false], [59, false])))).toEqual([
      "false_offline",
    ]);
  });

  test("a device that beat too seldom was silent in between", () => {
    const lives = [life(10, 150, { beatsS: [15, 120] })];
    expect(check(lives, sights([0, false], [10.2, true], [61, false], [120.2, true], [149, true])).cases).toEqual([]);
    expect(kindsOf(check(lives, sights([0, false], [10.2, true], [59, false], [120.2, true], [149, true])))).toEqual([
      "false_offline",
    ]);
  });

  test("a watcher whose connection ended has seen nothing since", () => {
    const verdict = check([life(10, 20), life(40, 60)], sights([0, false], [10.2, true], [20.1, true]));
    expect(verdict).toMatchObject({ left: { count: 0 }, online: { count: 1 }, cases: [] });
  });

  test("what came after a worker had no more room to note anything", () => {
    const shown = sights([0, false], [10.2, true], [40.2, false], [50, true], [150, true]);
    expect(check([life(10, 40)], shown, [], { untilMs: 45_000 })).toMatchObject({ cutAtMs: 45_000, cases: [] });
    expect(kindsOf(check([life(10, 40)], shown))).toEqual(["late_left"]);
  });

  test("a run in which nobody saw anything says so", () => {
    expect(isUnchecked(check([life(10, 60)], []))).toBe(true);
    expect(isUnchecked(check([], sights([0, false], [60, false])))).toBe(true);
    expect(isUnchecked(check([life(10, 60)], sights([0, false], [10.2, true], [60, true])))).toBe(false);
  });
});

describe("faults excuse what follows from them, and no more", () => {
  /** Ann is there from 10 s to 100 s and is shown offline for a while. */
  const offline = (fromS: number, toS: number, faults: readonly FaultEvent[], beatsS?: readonly number[]): number =>
    check(
      [life(10, 100, beatsS === undefined ? {} : { beatsS })],
      sights([0, false], [10.2, true], [fromS, false], [toS, true], [99, true]),
      faults,
    ).falseOffline;

  test.each<[string, number, readonly FaultEvent[], number, number]>([
    ["Redis killed, until its state is back", 0, [fault("store.kill", "redis", 30, 32)], 31, 41],
    ["Redis killed, but too long", 1, [fault("store.kill", "redis", 30, 32)], 31, 42],
    ["before Redis was killed", 1, [fault("store.kill", "redis", 30, 32)], 29.5, 31],
    ["Redis emptied", 0, [fault("store.flush", "redis", 30, 30)], 30.1, 39],
    ["Redis emptied, but too long", 1, [fault("store.flush", "redis", 30, 30)], 30.1, 40],
    [
      "Redis emptied while the user's server was paused, until that can write again",
      0,
      [fault("store.flush", "redis", 30, 30), fault("server.pause", "server-1", 28, 33)],
      31,
      42,
    ],
    [
      "Redis emptied while the user's server was paused, but too long",
      1,
      [fault("store.flush", "redis", 30, 30), fault("server.pause", "server-1", 28, 33)],
      31,
      43,
    ],
    [
      "Redis emptied while another server was paused",
      1,
      [fault("store.flush", "redis", 30, 30), fault("server.pause", "server-3", 28, 33)],
      31,
      42,
    ],
    ["Redis slow", 1, [fault("proxy.latency", "redis", 30, 32)], 31, 32],
    ["PostgreSQL killed", 1, [fault("store.kill", "postgres", 30, 32)], 31, 32],
    ["Cassandra killed", 1, [fault("store.kill", "cassandra", 30, 32)], 31, 32],
    ["the user's server paused, for less than a lease", 1, [fault("server.pause", "server-1", 30, 35)], 31, 36],
    ["the user's server paused for long", 0, [fault("server.pause", "server-1", 30, 50)], 42, 58],
    ["the user's server paused for long, but too long", 1, [fault("server.pause", "server-1", 30, 50)], 42, 60],
    ["the watcher's server paused", 0, [fault("server.pause", "server-2", 30, 35)], 31, 36],
    ["another server paused", 1, [fault("server.pause", "server-3", 30, 35)], 31, 36],
    ["a server killed", 1, [fault("server.kill", "server-2", 30, 35)], 31, 36],
    ["links of clients slow", 1, [fault("proxy.latency", "clients", 30, 35)], 31, 36],
    ["a fault that did not take place", 1, [{ ...fault("store.kill", "redis", 30, 35), atMs: undefined }], 31, 36],
  ])("%s: %d", (_, expected, faults, fromS, toS) => expect(offline(fromS, toS, faults)).toBe(expected));

  test.each<[string, number, FaultEvent]>([
    ["Redis slow", 1, fault("proxy.latency", "redis", 9, 13)],
    ["PostgreSQL paused", 1, fault("store.pause", "postgres", 9, 13)],
    ["S3 paused", 0, fault("store.pause", "s3", 9, 13)],
    ["links of clients slow", 1, fault("proxy.throttle", "clients", 9, 13)],
    ["the link of the user's server slow", 1, fault("proxy.latency", "server-1", 9, 13)],
    ["the watcher's server paused", 1, fault("server.pause", "server-2", 9, 13)],
    ["the user's server paused", 1, fault("server.pause", "server-1", 9, 13)],
    ["another server paused", 0, fault("server.pause", "server-3", 9, 13)],
    ["a server killed", 0, fault("server.kill", "server-1", 9, 13)],
  ])("whoever is seen late while %s: %d excused", (_, excused, event) => {
    const verdict = check([life(10, 60)], sights([0, false], [13.5, true], [50, true]), [event]);
    expect(verdict).toMatchObject({ excused, online: { count: 1 - excused } });
  });

  test("what Redis forgot comes back with the next heartbeat", () => {
    const faults = [fault("store.flush", "redis", 30, 30)];
    expect(offline(31, 53, faults, [15, 25, 52, 80])).toBe(0);
    expect(offline(31, 55, faults, [15, 25, 52, 80])).toBe(1);
  });

  test("an excuse that covers a part of a lateness leaves the rest of it", () => {
    const late = (seenS: number): PresenceVerdict =>
      check([life(10, 100)], sights([0, false], [seenS, true], [90, true]), [fault("store.kill", "redis", 9, 12)]);
    expect(late(20)).toMatchObject({ excused: 1, online: { count: 0 }, cases: [] });
    expect(late(24)).toMatchObject({
      excused: 0,
      online: { count: 1, maxMs: 4_000 },
      cases: [{ kind: "late_online" }],
    });
  });

  test("what was excused is counted", () => {
    const verdict = check([life(10, 60)], sights([0, false], [10.2, true], [60, true]), [
      fault("store.kill", "redis", 30, 32),
    ]);
    expect(verdict).toMatchObject({ checkedMs: 33_000, excusedMs: 11_000 });
  });

  test("a heartbeat that a paused server reads late counts from then", () => {
    const lives = [life(10, 33, { end: "vanished" })];
    const faults = [fault("server.pause", "server-1", 30.5, 50)];
    const until = (untilS: number): readonly string[] =>
      kindsOf(check(lives, sights([0, false], [10.2, true], [untilS, false], [150, false]), faults));
    expect(until(97)).toEqual([]);
    expect(until(99)).toEqual(["late_silent"]);
  });

  test("who leaves a server that has just died, or one that cannot tell Redis, is silent", () => {
    const until = (untilS: number, event: FaultEvent): readonly string[] =>
      kindsOf(check([life(10, 33)], sights([0, false], [10.2, true], [untilS, false], [150, false]), [event]));
    expect(until(47, fault("server.kill", "server-1", 32.99, 38))).toEqual([]);
    expect(until(81, fault("server.kill", "server-1", 32.99, 38))).toEqual(["late_silent"]);
    expect(until(79, fault("store.pause", "redis", 32, 34))).toEqual([]);
    expect(until(81, fault("store.pause", "redis", 32, 34))).toEqual(["late_silent"]);
  });

  test("what a worker noted while it stood still may have come before", () => {
    const stalls = [{ fromMs: 10_100, toMs: 13_000 }];
    const shown = sights([0, false], [13, true], [50, true]);
    expect(check([life(10, 60)], shown, [], { stalls })).toMatchObject({ excused: 1, cases: [] });
  });
});

test("times are united, clipped and subtracted", () => {
  const some = unite([
    { fromMs: 5, toMs: 9 },
    { fromMs: 1, toMs: 2 },
    { fromMs: 2, toMs: 3 },
    { fromMs: 4, toMs: 4 },
  ]);
  expect(some).toEqual([
    { fromMs: 1, toMs: 3 },
    { fromMs: 5, toMs: 9 },
  ]);
  expect(clip(some, { fromMs: 2, toMs: 6 })).toEqual([
    { fromMs: 2, toMs: 3 },
    { fromMs: 5, toMs: 6 },
  ]);
  expect(subtract({ fromMs: 0, toMs: 10 }, some)).toEqual([
    { fromMs: 0, toMs: 1 },
    { fromMs: 3, toMs: 5 },
    { fromMs: 9, toMs: 10 },
  ]);
  expect(lengthMs(some)).toBe(6);
});
