import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TimerWheel } from "./timer-wheel.ts";

function firedBy(wheel: TimerWheel, nowMs: number): number[] {
  const fired: number[] = [];
  wheel.advance(nowMs, (id) => fired.push(id));
  return fired;
}

test("timers fire in order of time, and of setting within a tick", () => {
  const wheel = new TimerWheel({ timersMax: 8, slots: 8 });
  wheel.set(3, 5);
  wheel.set(1, 2);
  wheel.set(4, 5);
  wheel.set(0, 5);
  expect(firedBy(wheel, 1)).toEqual([]);
  expect(firedBy(wheel, 10)).toEqual([1, 3, 4, 0]);
  expect(wheel.size).toBe(0);
});

test("timers beyond one round wait for their own round", () => {
  const wheel = new TimerWheel({ timersMax: 2, slots: 4 });
  wheel.set(0, 9);
  wheel.set(1, 1);
  expect(firedBy(wheel, 8)).toEqual([1]);
  expect(firedBy(wheel, 9)).toEqual([0]);
});

test("a cancelled timer does not fire, and cancelling twice is harmless", () => {
  const wheel = new TimerWheel({ timersMax: 3, slots: 4 });
  for (const id of [0, 1, 2]) wheel.set(id, 3);
  wheel.cancel(1);
  wheel.cancel(1);
  expect(firedBy(wheel, 3)).toEqual([0, 2]);
});

test("setting again moves the timer", () => {
  const wheel = new TimerWheel({ timersMax: 1, slots: 4 });
  wheel.set(0, 2);
  wheel.set(0, 6);
  expect(firedBy(wheel, 5)).toEqual([]);
  expect(firedBy(wheel, 6)).toEqual([0]);
});

test("a timer never fires before its time and at most a tick after it", () => {
  const wheel = new TimerWheel({ timersMax: 1, slots: 16 });
  wheel.set(0, 2.5);
  expect(firedBy(wheel, 2.9)).toEqual([]);
  expect(firedBy(wheel, 3)).toEqual([0]);
});

describe("while firing", () => {
  test("a timer may set itself again, into the same slot as well", () => {
    const wheel = new TimerWheel({ timersMax: 1, slots: 4 });
    const times: number[] = [];
    wheel.set(0, 4);
    for (let now = 1; now <= 12; now++) {
      wheel.advance(now, (id) => {
        times.push(now);
        wheel.set(id, now + 4);
      });
    }
    expect(times).toEqual([4, 8, 12]);
  });

  test("another timer of the same tick may be cancelled or moved", () => {
    const wheel = new TimerWheel({ timersMax: 4, slots: 4 });
    for (const id of [0, 1, 2, 3]) wheel.set(id, 2);
    const fired: number[] = [];
    wheel.advance(2, (id) => {
      fired.push(id);
      if (id !== 0) return;
      wheel.cancel(1);
      wheel.set(3, 6);
    });
    expect(fired).toEqual([0, 2]);
    expect(firedBy(wheel, 6)).toEqual([3]);
  });
});

test("behaves like a sorted list under any sequence of calls", () => {
  const command = fc.oneof(
    fc.record({ do: fc.constant("set" as const), id: fc.nat(9), delay: fc.nat(40) }),
    fc.record({ do: fc.constant("cancel" as const), id: fc.nat(9), delay: fc.constant(0) }),
    fc.record({ do: fc.constant("advance" as const), id: fc.constant(0), delay: fc.nat(30) }),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const wheel = new TimerWheel({ timersMax: 10, slots: 8 });
      const model = new Map<number, number>();
      const fired: number[] = [];
      const expected: number[] = [];
      const ascending = (one: number, other: number): number => one - other;
      let now = 0;
      for (const { do: what, id, delay } of commands) {
        if (what === "set") {
          wheel.set(id, now + delay);
          model.set(id, Math.max(now + 1, now + delay));
        } else if (what === "cancel") {
          wheel.cancel(id);
          model.delete(id);
        } else {
          now += delay;
          const due = [...model].filter(([, at]) => at <= now).map(([timer]) => timer);
          for (const timer of due) model.delete(timer);
          fired.push(...firedBy(wheel, now).sort(ascending));
          expected.push(...due.sort(ascending));
        }
        expect(wheel.size).toBe(model.size);
        const earliest = Math.min(...model.values());
        expect(wheel.nextDueMs()).toBeLessThanOrEqual(earliest);
      }
      expect(fired).toEqual(expected);
    }),
  );
});
