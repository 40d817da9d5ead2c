import { describe, expect, test } from "vitest";
import { limits } from "../../protocol/limits.ts";
import type { Connection } from "./connection.ts";
import { closeTimeoutMs, ConnectionSweep } from "./connection-sweep.ts";

class FakeConnection {
  state = "greeted";
  openedAtMs = 0;
  heardAtMs = 0;
  beatAtMs = 0;
  leftAtMs = 0;
  present = true;
  paused = false;
  pageWaitsSinceMs: number | undefined = undefined;
  readonly closes: string[] = [];
  terminated = 0;

  close(reason: string): void {
    this.closes.push(reason);
  }
  terminate(): void {
    this.terminated++;
  }
}

function sweepAt(now: number, changes: Partial<FakeConnection>) {
  const connection = Object.assign(new FakeConnection(), changes);
  const silent: unknown[] = [];
  const checked: unknown[] = [];
  const clock = { nowMs: () => now, monotonicMs: () => now, schedule: () => ({ cancel: () => {} }) };
  const sweep = new ConnectionSweep(clock, {
    onSilent: (found) => void silent.push(found),
    checkSessions: (found) => void checked.push(...found),
  });
  sweep.visit(new Set([connection as unknown as Connection]));
  return {
    closes: connection.closes,
    terminated: connection.terminated,
    silent: silent.length,
    checked: checked.length,
  };
}

const alive = { closes: [], terminated: 0, silent: 0, checked: 1 };

describe("ConnectionSweep", () => {
  test("HELLO has its time, and no more", () => {
    expect(sweepAt(limits.helloTimeoutMs, { state: "opening" })).toEqual(alive);
    expect(sweepAt(limits.helloTimeoutMs + 1, { state: "opening" })).toMatchObject({
      closes: ["hello_timeout"],
      checked: 0,
    });
  });

  test("without a heartbeat presence goes, without anything the connection goes", () => {
    expect(sweepAt(limits.presenceTtlMs, {})).toEqual(alive);
    expect(sweepAt(limits.presenceTtlMs + 1, {})).toEqual({ ...alive, silent: 1 });
    expect(sweepAt(limits.presenceTtlMs + 1, { present: false })).toEqual(alive);
    expect(sweepAt(limits.silenceTimeoutMs + 1, { heardAtMs: 5 })).toMatchObject({ closes: [] });
    expect(sweepAt(limits.silenceTimeoutMs + 1, {})).toMatchObject({ closes: ["silent"], checked: 0 });
  });

  test("silence that the server caused by not reading is not held against the client", () => {
    expect(sweepAt(limits.silenceTimeoutMs + 1, { paused: true })).toMatchObject({ closes: [] });
  });

  test("a page that nobody reads ends the connection, though heartbeats come", () => {
    const now = limits.silenceTimeoutMs + 10;
    expect(sweepAt(now, { heardAtMs: now, beatAtMs: now, pageWaitsSinceMs: 5 })).toMatchObject({ closes: ["slow"] });
    expect(sweepAt(now, { heardAtMs: now, beatAtMs: now, pageWaitsSinceMs: 20 })).toEqual(alive);
  });

  test("a close that the peer does not answer is ended by force", () => {
    expect(sweepAt(closeTimeoutMs, { state: "draining" })).toMatchObject({ terminated: 0, checked: 0 });
    expect(sweepAt(closeTimeoutMs + 1, { state: "draining" })).toMatchObject({ terminated: 1, checked: 0 });
  });

  test("every connection is visited once a turn, and none after it was removed", () => {
    const runs: (() => void)[] = [];
    const visits = new Map<unknown, number>();
    const clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      schedule: (_delay: number, run: () => void) => {
        runs.push(run);
        return { cancel: () => {} };
      },
    };
    const sweep = new ConnectionSweep(clock, {
      onSilent: () => {},
      checkSessions: (found) =>
        found.forEach((connection) => visits.set(connection, (visits.get(connection) ?? 0) + 1)),
    });
    const connections = Array.from({ length: 25 }, () => new FakeConnection() as unknown as Connection);
    for (const connection of connections) sweep.add(connection);
    sweep.start();
    const turn = (): void => {
      for (let step = 0; step < 10; step++) runs.shift()?.();
    };
    turn();
    expect([...visits.values()]).toEqual(connections.map(() => 1));
    sweep.remove(connections[0] as Connection);
    turn();
    expect([sweep.size, visits.get(connections[0]), visits.get(connections[1])]).toEqual([24, 1, 2]);
  });
});
