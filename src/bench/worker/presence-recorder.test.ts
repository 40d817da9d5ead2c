import { expect, test } from "vitest";
import { PresenceRecorder } from "./presence-recorder.ts";

const at = { userId: "ann", server: 1 };

test("a connection is noted from HELLO to its end, with its heartbeats and their answers", () => {
  const recorder = new PresenceRecorder();
  recorder.connection(0, at, "connecting", "lost", 1_000);
  recorder.connection(0, at, "greeting", "lost", 1_010);
  recorder.connection(0, at, "ready", "lost", 1_020);
  for (const [sent, answered] of [
    [1_100, 1_105],
    [1_200, undefined],
  ] as const) {
    recorder.beat(0, sent);
    if (answered !== undefined) recorder.answered(0, answered);
  }
  // The device is at the next server already when it hears of the end.
  recorder.connection(0, { ...at, server: 0 }, "waiting", "lost", 1_300);
  recorder.beat(0, 1_400);
  recorder.connection(0, { ...at, server: 0 }, "greeting", "lost", 1_500);
  recorder.connection(0, { ...at, server: 0 }, "stopped", "vanished", 1_600);
  expect(recorder.observations(1_000)).toEqual({
    lives: [
      {
        userId: "ann",
        device: 0,
        server: 1,
        askedAtMs: 10,
        upAtMs: 20,
        downAtMs: 300,
        end: "lost",
        beats: Float64Array.of(100, 105, 200, Number.NaN),
      },
      {
        userId: "ann",
        device: 0,
        server: 0,
        askedAtMs: 500,
        upAtMs: undefined,
        downAtMs: 600,
        end: "vanished",
        beats: Float64Array.of(),
      },
    ],
    watches: [],
    stalls: [],
    untilMs: Number.POSITIVE_INFINITY,
  });
});

test("what a watcher is told, the same in a row once; nothing is carried over to its next connection", () => {
  const recorder = new PresenceRecorder();
  recorder.told(7, "ann", true, 900);
  recorder.watching(7, 3, 0, 950);
  for (const [ms, online] of [
    [1_000, false],
    [1_100, false],
    [1_200, true],
    [1_300, true],
  ] as const) {
    recorder.told(7, "ann", online, ms);
  }
  recorder.told(7, "bob", false, 1_250);
  recorder.blind(7);
  recorder.told(7, "ann", false, 1_400);
  recorder.watching(7, 3, 1, 1_450);
  recorder.told(7, "ann", true, 1_500);
  expect(recorder.observations(1_000).watches).toEqual([
    {
      watcher: 3,
      server: 0,
      sinceMs: -50,
      sights: [
        { userId: "ann", online: false, fromMs: 0, toMs: 200 },
        { userId: "ann", online: true, fromMs: 200, toMs: 300 },
        { userId: "bob", online: false, fromMs: 250, toMs: 250 },
      ],
    },
    { watcher: 3, server: 1, sinceMs: 450, sights: [{ userId: "ann", online: true, fromMs: 500, toMs: 500 }] },
  ]);
});

test("a pulse that comes late is a time in which the worker stood still", () => {
  const recorder = new PresenceRecorder();
  for (const ms of [1_000, 1_001, 1_249, 1_500]) recorder.pulse(ms);
  expect(recorder.observations(1_000).stalls).toEqual([{ fromMs: 249, toMs: 500 }]);
});

test("there is an end to what is noted, and when it came is said", () => {
  const recorder = new PresenceRecorder();
  recorder.watching(0, 0, 0, 0);
  for (let n = 0; n < 200_005; n++) {
    recorder.pulse(n);
    recorder.told(0, "ann", n % 2 === 0, n);
  }
  const { watches, untilMs } = recorder.observations(0);
  expect(watches[0]?.sights).toHaveLength(200_000);
  expect(untilMs).toBe(200_000);
});
