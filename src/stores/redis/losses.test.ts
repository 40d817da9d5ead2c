import { expect, test } from "vitest";
import { VirtualTime } from "../../../test/helpers/virtual-time.ts";
import { Losses } from "./losses.ts";

test("the first loss is told at once, those that follow together after a pause, with the last reason", () => {
  const time = new VirtualTime();
  const clock = {
    nowMs: () => time.nowMs,
    monotonicMs: () => time.nowMs,
    schedule: (delayMs: number, run: () => void) => time.schedule(delayMs, run),
  };
  const losses = new Losses(clock, 5_000);
  const told: string[] = [];
  losses.onLost((reason) => told.push(`${time.nowMs} ${reason}`));
  losses.raise("a");
  time.runUntil(1_000);
  losses.raise("b");
  losses.raise("c");
  time.runUntil(20_000);
  losses.raise("d");
  expect(told).toEqual(["0 a", "5000 c", "20000 d"]);
});
