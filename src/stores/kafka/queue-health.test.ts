import { expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { limits } from "../../protocol/limits.ts";
import { QueueHealth } from "./queue-health.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function setUp() {
  const clock = new ManualClock();
  const told: unknown[] = [];
  const found: { look: () => Promise<number> } = { look: async () => 0 };
  let looks = 0;
  const health = new QueueHealth({
    clock,
    look: () => {
      looks++;
      return found.look();
    },
    everyMs: 1_000,
    withinMs: 5_000,
    meaningOf: String,
    onChange: (error) => void told.push(error),
  });
  return { clock, told, found, health, looks: () => looks };
}

test("is not ready before the first look, and looks again and again", async () => {
  const { clock, health, looks, told } = setUp();
  expect(() => health.check()).toThrow(expect.objectContaining({ code: "store_unavailable" }));
  await health.look();
  health.check();
  clock.advance(1_000);
  await turn();
  expect(looks()).toBe(2);
  expect(told).toEqual([]);
});

test("tells once when the queue is lost, from the start too, and once when it is back", async () => {
  const { found, health, told } = setUp();
  const error = new Error("refused");
  found.look = () => Promise.reject(error);
  await health.look();
  await health.look();
  expect(() => health.check()).toThrow(expect.objectContaining({ code: "store_unavailable", cause: error }));
  found.look = async () => 0;
  await health.look();
  await health.look();
  health.check();
  expect(told).toEqual([error, undefined]);
});

test("tells again when it is lost for another reason", async () => {
  const { found, health, told } = setUp();
  const errors = [new Error("refused"), new Error("refused"), new Error("wrong password")];
  for (const error of errors) {
    found.look = () => Promise.reject(error);
    await health.look();
  }
  expect(told).toEqual([errors[0], errors[2]]);
});

test("a look without an end counts as lost", async () => {
  const { clock, found, health } = setUp();
  await health.look();
  found.look = () => new Promise(() => undefined);
  const looking = health.look();
  clock.advance(5_000);
  await looking;
  expect(() => health.check()).toThrow(expect.objectContaining({ code: "store_unavailable" }));
});

test("doubts during a look wait for that look", async () => {
  const { health, looks } = setUp();
  await Promise.all([health.look(), health.look(), health.look()]);
  expect(looks()).toBe(1);
});

test("counts what this process put in since the last look, so that a burst between two looks has a bound", async () => {
  const { found, health } = setUp();
  found.look = async () => limits.fanOutJobsWaitingMax - 8;
  await health.look();
  health.put(7);
  health.check();
  health.put(1);
  expect(() => health.check()).toThrow(expect.objectContaining({ code: "overloaded" }));
  await health.look();
  health.check();
});

test("is not ready any more once it is stopped, and looks no more", async () => {
  const { clock, health, looks } = setUp();
  await health.look();
  health.stop();
  clock.advance(10_000);
  expect(looks()).toBe(1);
  expect(() => health.check()).toThrow(expect.objectContaining({ code: "store_unavailable" }));
});
