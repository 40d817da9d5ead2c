import { expect, test } from "vitest";
import { Population } from "../data/population.ts";
import { Slots } from "./slots.ts";

const population = new Population({ seed: 1, users: 7, devices: 3, contacts: 0, groups: [] });

test("every device has one slot in one worker", () => {
  const seen = new Set<number>();
  for (const index of [0, 1, 2]) {
    const slots = new Slots(population, { index, count: 3 });
    for (let slot = 0; slot < slots.count; slot++) {
      const device = slots.deviceOf(slot);
      expect(slot - slots.firstOf(slots.userOf(slot))).toBe(device % 3);
      expect(slots.ownsUser(slots.userOf(slot))).toBe(true);
      expect(population.userOfDevice(device)).toBe(slots.userOf(slot));
      seen.add(device);
    }
  }
  expect(seen.size).toBe(population.deviceCount);
});

test("a worker with more workers than users has nothing", () => {
  expect(new Slots(population, { index: 8, count: 9 }).count).toBe(0);
});
