import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { LoadGate, type Urgency } from "./load-gate.ts";

function setUp(inFlightMax: number, waitingMax: number) {
  const clock = new ManualClock();
  const gate = new LoadGate({ inFlightMax, waitingMax, waitMsMax: 1_000, clock });
  const order: string[] = [];
  const enter = (name: string, urgency: Urgency = "begins"): void => {
    const turn = gate.enter(urgency);
    if (turn === undefined) order.push(name);
    else {
      turn.then(
        () => order.push(name),
        (error: { code: string }) => order.push(`${name} ${error.code}`),
      );
    }
  };
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  return { clock, gate, order, enter, settle };
}

describe("a load gate", () => {
  test("lets as many in as it may, then one for each that leaves, first come first served", async () => {
    const { gate, order, enter, settle } = setUp(2, 8);
    for (const name of ["a", "b", "c", "d"]) enter(name);
    expect(order).toEqual(["a", "b"]);
    expect([gate.inFlight, gate.waiting]).toEqual([2, 2]);
    gate.leave();
    await settle();
    expect(order).toEqual(["a", "b", "c"]);
    expect([gate.inFlight, gate.waiting]).toEqual([2, 1]);
    for (let left = 0; left < 3; left++) gate.leave();
    await settle();
    expect(order).toEqual(["a", "b", "c", "d"]);
    expect([gate.inFlight, gate.waiting]).toEqual([0, 0]);
  });

  test("lets those who end something in before those who begin", async () => {
    const { gate, order, enter, settle } = setUp(1, 8);
    enter("first");
    enter("begins");
    enter("ends", "ends");
    gate.leave();
    gate.leave();
    await settle();
    expect(order).toEqual(["first", "ends", "begins"]);
  });

  test("refuses beginnings when too many wait, but not what has to end", async () => {
    const { gate, order, enter, settle } = setUp(1, 2);
    for (const name of ["in", "waits", "waits too"]) enter(name);
    enter("too late");
    enter("ending", "ends");
    await settle();
    expect(order).toEqual(["in", "too late overloaded"]);
    expect(gate.waiting).toBe(3);
  });

  test("refuses at a bound also what has to end", async () => {
    const { order, enter, settle } = setUp(1, 1);
    enter("in");
    for (let ending = 0; ending < 128; ending++) enter("ends", "ends");
    enter("one more", "ends");
    await settle();
    expect(order).toEqual(["in", "one more overloaded"]);
  });

  test("refuses whoever waited too long, and lets the next one in", async () => {
    const { clock, gate, order, enter, settle } = setUp(1, 8);
    enter("in");
    enter("old");
    clock.advance(1_001);
    enter("new");
    gate.leave();
    await settle();
    expect(order).toEqual(["in", "old store_unavailable", "new"]);
    expect(gate.inFlight).toBe(1);
  });
});
