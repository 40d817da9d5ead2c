import { expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { Echo } from "./echo.ts";
import { Losses } from "./losses.ts";

function setUp() {
  const clock = new ManualClock(10_000);
  const losses = new Losses(clock);
  const said: string[] = [];
  const epoch = { current: "e1" };
  const say = async (text: string): Promise<void> => void said.push(text);
  const echo = new Echo({ clock, losses, say, epoch: () => epoch.current });
  return { clock, losses, said, epoch, echo };
}

const nothing = { sinceMs: Infinity, toMs: -Infinity };

test("nothing is proven before the first echo, nor by what somebody else says", () => {
  const { echo } = setUp();
  expect(echo.hearing).toEqual(nothing);
  echo.begin();
  expect(echo.hear('[[1,"batch"]]')).toBe(false);
  expect(echo.hearing).toEqual({ sinceMs: 10_000, toMs: -Infinity });
});

test("an echo proves up to when it was said, however late it is heard", () => {
  const { clock, said, echo } = setUp();
  echo.begin();
  clock.advance(250);
  expect(said).toHaveLength(2);
  clock.advance(5_000);
  expect(echo.hear(said[1] ?? "")).toBe(true);
  expect(echo.hearing).toEqual({ sinceMs: 10_000, toMs: 10_250 });
  expect(echo.silentMs).toBe(0);
  echo.hear(said[0] ?? "");
  expect(echo.hearing.toMs).toBe(10_250);
});

test("what another process of this name said to itself proves nothing, nor what was said before a new epoch", () => {
  const { clock, said, epoch, echo } = setUp();
  echo.begin();
  expect(echo.hear("echo e0 99999")).toBe(true);
  epoch.current = "e2";
  clock.advance(1);
  echo.hear(said[0] ?? "");
  expect(echo.hearing.toMs).toBe(-Infinity);
  expect(echo.silentMs).toBe(1);
});

test("the span begins anew with each loss, also with one that waits to be told, and with each subscription", () => {
  const { clock, losses, echo } = setUp();
  echo.begin();
  clock.advance(10);
  losses.raise("one");
  expect(echo.hearing.sinceMs).toBe(10_010);
  clock.advance(10);
  losses.raise("another");
  expect(losses.told).toBe(1);
  expect(echo.hearing.sinceMs).toBe(10_020);
  clock.advance(10);
  echo.begin();
  expect(echo.hearing).toEqual({ sinceMs: 10_030, toMs: -Infinity });
});

test("after its end nothing is believed and nothing said", () => {
  const { clock, said, echo } = setUp();
  echo.begin();
  echo.hear(said[0] ?? "");
  echo.end();
  clock.advance(10_000);
  expect(said).toHaveLength(1);
  expect(echo.hearing.sinceMs).toBe(Infinity);
});
