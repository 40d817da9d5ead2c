import { expect, test } from "vitest";
import type { PresenceVerdict } from "../presence/presence-verdict.ts";
import { presenceLines } from "./presence-lines.ts";
import { createStyle } from "./style.ts";
import type { BenchResult } from "./result.ts";

const none = { count: 0, p50Ms: 0, maxMs: 0 };
const seen: PresenceVerdict = {
  users: 14,
  watchers: 2,
  checkedMs: 3_000_000,
  excusedMs: 1_000_000,
  online: { count: 52, p50Ms: 205, maxMs: 248 },
  left: none,
  silent: { count: 20, p50Ms: 45_391, maxMs: 45_788 },
  killed: 4,
  cross: 25,
  excused: 3,
  falseOffline: 0,
  cases: [],
};

const textOf = (presence: PresenceVerdict | undefined): string =>
  presenceLines({ presence } as BenchResult, createStyle(false))
    .map((line) => line.slice(12))
    .join(" ");

test("says who was watched, what was seen and how long it took", () => {
  expect(textOf(seen)).toBe(
    "14 users seen by 2 watchers; none falsely offline; seen online 52 (p50 205 ms, max 248 ms); silent 20 (p50 45.4 s, max 45.8 s); " +
      "50m of looking judged, 25% and 3 changes excused",
  );
  expect(textOf({ ...seen, excusedMs: 0, excused: 0, cutAtMs: 60_000 })).toMatch(
    /looking judged; noted until 1m only$/,
  );
});

test("what was late is told in full, three times at most; who looked offline is told by the ledger", () => {
  const late = { kind: "late_online", detail: "user ann was shown offline" } as const;
  const text = textOf({
    ...seen,
    falseOffline: 2,
    cases: [{ kind: "false_offline", detail: "bob" }, ...Array(5).fill(late)],
  });
  expect(text).toContain("falsely offline 2");
  expect(text.match(/late_online: user ann was shown offline/g)).toHaveLength(3);
  expect(text).not.toContain("bob");
});

test("a run in which nothing could be checked does not say that nothing was wrong", () => {
  const text = textOf({ ...seen, checkedMs: 0, online: none, silent: none });
  expect(text).toBe("nothing could be checked");
  expect(textOf(undefined)).toBe("");
});
