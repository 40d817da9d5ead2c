import { expect, test } from "vitest";
import { GroupDeliveries } from "./group-deliveries.ts";

function fresh(messagesMax = 10): { deliveries: GroupDeliveries; last: number[][] } {
  const last: number[][] = [];
  const deliveries = new GroupDeliveries({ waitMs: 1_000, messagesMax, last: (...times) => last.push(times) });
  return { deliveries, last };
}

test("the last of the expected devices closes a message", () => {
  const { deliveries, last } = fresh();
  expect(deliveries.arrived("a", 2, 10, 15, () => 3)).toBe(true);
  expect(deliveries.arrived("a", 2, 10, 16, () => 3)).toBe(false);
  expect(last).toEqual([]);
  expect(deliveries.arrived("a", 2, 10, 30, () => 3)).toBe(false);
  expect(last).toEqual([[2, 10, 30]]);
});

test("a message that not everybody gets is closed with what came", () => {
  const { deliveries, last } = fresh();
  deliveries.arrived("a", 0, 10, 15, () => 3);
  deliveries.arrived("a", 0, 10, 40, () => 3);
  deliveries.sweep(1_014);
  expect(last).toEqual([]);
  deliveries.sweep(1_015);
  expect(last).toEqual([[0, 10, 40]]);
});

test("memory is bounded: the oldest is closed early", () => {
  const { deliveries, last } = fresh(1);
  deliveries.arrived("a", 0, 10, 15, () => 3);
  deliveries.arrived("b", 0, 11, 16, () => 3);
  expect(last).toEqual([[0, 10, 15]]);
});
