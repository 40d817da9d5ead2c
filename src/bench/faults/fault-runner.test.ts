import { describe, expect, test } from "vitest";
import { createDeferred } from "../../base/deferred.ts";
import type { FaultKind, FaultSpec } from "./fault-kinds.ts";
import { FaultRunner } from "./fault-runner.ts";

/** A fault that lasts from one second to another. */
function fault(atSeconds: number, forSeconds: number, kind: FaultKind = "server.kill"): FaultSpec {
  const none = { latencyMs: 0, jitterMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };
  return { do: kind, which: "server-1", atMs: atSeconds * 1_000, forMs: forSeconds * 1_000, ...none };
}

/** Time that passes when the test says so, and what was done to whom at which second. */
class Stage {
  nowMs = 0;
  readonly done: string[] = [];
  readonly runner: FaultRunner;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  /** `repairSeconds`: how long a process takes to come back. */
  constructor(faults: readonly FaultSpec[], repairSeconds = 0, broken?: "begin" | "end") {
    const act = (step: "begin" | "end"): void => {
      this.done.push(`${step} ${this.nowMs / 1_000}`);
      if (step === broken) throw new Error("out of order");
    };
    this.runner = new FaultRunner({
      faults,
      loadMs: 60_000,
      nowMs: () => this.nowMs,
      wait: (ms, signal) => this.#wait(ms, signal),
      tell: () => undefined,
      actions: {
        begin: () => Promise.resolve(act("begin")),
        end: async () => {
          await this.#wait(repairSeconds * 1_000, new AbortController().signal);
          act("end");
        },
      },
    });
    this.runner.start();
  }

  async pass(seconds: number): Promise<void> {
    const untilMs = this.nowMs + seconds * 1_000;
    for (; this.nowMs < untilMs; this.nowMs += 500) await this.#wakeDue();
    await this.#wakeDue();
  }

  async #wakeDue(): Promise<void> {
    const due = this.#sleepers.filter(({ atMs }) => atMs <= this.nowMs);
    this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.nowMs);
    for (const { wake } of due) wake();
    // Whoever was woken goes on until it waits again.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms === 0) return Promise.resolve();
    const slept = createDeferred<void>();
    this.#sleepers.push({ atMs: this.nowMs + ms, wake: () => slept.resolve() });
    signal.addEventListener("abort", () => slept.resolve());
    return slept.promise;
  }
}

describe("faults of a run", () => {
  test("begin and end at their times, and are noted with them", async () => {
    const stage = new Stage([fault(10, 5), fault(12, 0, "proxy.reset")]);
    await stage.pass(11);
    expect(stage.runner.isBusy).toBe(true);
    await stage.pass(10);
    expect(stage.done).toEqual(["begin 10", "begin 12", "end 12", "end 15"]);
    expect(stage.runner.events).toMatchObject([
      { atMs: 10_000, endMs: 15_000 },
      { atMs: 12_000, endMs: 12_000 },
    ]);
    expect(stage.runner.isBusy).toBe(false);
  });

  test("come later by as much as those before them took longer", async () => {
    const stage = new Stage([fault(10, 5), fault(20, 5)], 4);
    await stage.pass(59);
    expect(stage.done).toEqual(["begin 10", "end 19", "begin 24", "end 33"]);
  });

  test("do not take place when the load is too short for them by then", async () => {
    const stage = new Stage([fault(10, 5), fault(50, 5)], 10);
    await stage.pass(80);
    expect(stage.done).toEqual(["begin 10", "end 25"]);
    expect(stage.runner.events[1]).toMatchObject({ plannedAtMs: 50_000, atMs: undefined, endMs: undefined });
    expect(stage.runner.isBusy).toBe(false);
  });

  test("end at once when the run is stopped, and no others begin", async () => {
    const stage = new Stage([fault(10, 30), fault(45, 5)]);
    await stage.pass(20);
    await stage.runner.stop();
    await stage.runner.stop();
    await stage.pass(40);
    expect(stage.done).toEqual(["begin 10", "end 20"]);
  });

  test.each(["begin", "end"] as const)("that fail at their %s end the run with the reason", async (step) => {
    const stage = new Stage([fault(10, 5), fault(20, 5)], 0, step);
    await stage.pass(59);
    expect(stage.runner.failure?.message).toMatch(/server\.kill server-1: Error: out of order/);
    expect(stage.done.at(-1)).toMatch(step);
    expect(stage.runner.isBusy).toBe(false);
  });
});
