import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../base/clock.ts";
import type { CliError } from "../cli-error.ts";
import { restartDelayMs, restartLimits } from "./restart-delay.ts";
import { Supervisor } from "./supervisor.ts";
import type { WorkerOrder, WorkerReport } from "./worker-messages.ts";
import type { LaunchedProcess } from "./worker-process.ts";

/** A worker process that does what the test says, and by default what it is asked to. */
class FakeWorker implements LaunchedProcess {
  readonly pid: number;
  readonly orders: WorkerOrder[] = [];
  obeys = true;
  #report: (report: WorkerReport) => void = () => {};
  #end: (code: number | null, signal: string | null) => void = () => {};
  isAlive = true;

  constructor(pid: number) {
    this.pid = pid;
  }

  send(order: WorkerOrder): void {
    if (!this.isAlive) return;
    this.orders.push(order);
    if (!this.obeys) return;
    if (order.order === "open_admin") this.tell({ report: "administered", adminUrl: `http://admin:${order.port}/` });
    if (order.order === "drain") this.end(0);
  }

  kill(): void {
    this.end(null, "SIGKILL");
  }

  onReport(handler: (report: WorkerReport) => void): void {
    this.#report = handler;
  }

  onEnd(handler: (code: number | null, signal: string | null) => void): void {
    this.#end = handler;
  }

  tell(report: WorkerReport): void {
    queueMicrotask(() => this.#report(report));
  }

  ready(): void {
    this.tell({ report: "ready", node: `n${this.pid}`, url: "http://public" });
  }

  end(code: number | null, signal: string | null = null): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    queueMicrotask(() => this.#end(code, signal));
  }

  get drains(): readonly WorkerOrder[] {
    return this.orders.filter(({ order }) => order === "drain");
  }
}

function supervise(count: number, onLaunch: (worker: FakeWorker) => void = (worker) => worker.ready()) {
  const launched: FakeWorker[] = [];
  const said: string[] = [];
  const note = (_fields: object, event: string): void => void said.push(event);
  const hooks = { onLaunch };
  const supervisor = new Supervisor({
    count,
    launch() {
      const worker = new FakeWorker(launched.length + 1);
      launched.push(worker);
      hooks.onLaunch(worker);
      return worker;
    },
    adminPort: 9_000,
    drainMs: 5_000,
    clock: { ...systemClock, monotonicMs: () => Date.now() },
    log: { info: note, warn: note, error: note },
  });
  return { supervisor, launched, said, hooks, alive: () => launched.filter(({ isAlive }) => isAlive) };
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const failed: WorkerReport = { report: "failed", exit: "locked", message: "the port is taken", fix: "Take another." };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("starting", () => {
  it("answers every worker once all are ready, each with an administrative port of its own", async () => {
    const { supervisor } = supervise(3);
    expect(await supervisor.start()).toEqual([
      { pid: 1, node: "n1", url: "http://public", adminUrl: "http://admin:9000/" },
      { pid: 2, node: "n2", url: "http://public", adminUrl: "http://admin:9001/" },
      { pid: 3, node: "n3", url: "http://public", adminUrl: "http://admin:9002/" },
    ]);
  });

  it("starts one worker only when that one fails, and ends with its words", async () => {
    const { supervisor, launched } = supervise(3, (worker) => {
      worker.tell(failed);
      worker.end(6);
    });
    await expect(supervisor.start()).rejects.toMatchObject({
      exit: "locked",
      message: "the port is taken",
      fix: "Take another.",
    });
    expect(launched).toHaveLength(1);
  });

  it("leaves nobody behind when a later worker fails", async () => {
    const { supervisor, alive } = supervise(3, (worker) =>
      worker.pid === 3 ? worker.end(null, "SIGSEGV") : worker.ready(),
    );
    await expect(supervisor.start()).rejects.toMatchObject({
      exit: "failed",
      message: expect.stringContaining("SIGSEGV") as string,
    });
    expect(alive()).toEqual([]);
  });
});

describe("a worker that dies", () => {
  it("is followed by a new one on the same administrative port, after a pause that doubles", async () => {
    const { supervisor, launched } = supervise(2);
    await supervisor.start();
    for (const [round, at] of [1, 2, 3, 4].entries()) {
      launched.findLast(({ isAlive, pid }) => isAlive && pid !== 2)?.end(null, "SIGKILL");
      await vi.advanceTimersByTimeAsync(restartDelayMs(at) - 1);
      expect(launched).toHaveLength(2 + round);
      await vi.advanceTimersByTimeAsync(1);
      expect(launched).toHaveLength(3 + round);
    }
    expect(launched.at(-1)?.orders).toEqual([{ order: "open_admin", port: 9_000 }]);
  });

  it("after it served for long dies its first death again", async () => {
    const { supervisor, launched } = supervise(1);
    await supervisor.start();
    for (let deaths = 0; deaths < restartLimits.deathsInARowMax * 2; deaths++) {
      await vi.advanceTimersByTimeAsync(restartLimits.steadyMs);
      launched.at(-1)?.end(1);
      await vi.advanceTimersByTimeAsync(restartLimits.delayMinMs);
    }
    expect(launched.at(-1)?.isAlive).toBe(true);
  });

  it("over and over ends the server with its last words, and takes the others along", async () => {
    const { supervisor, launched, hooks, alive } = supervise(2);
    await supervisor.start();
    const over = supervisor.over.catch((error: CliError) => error);
    hooks.onLaunch = (worker) => {
      worker.tell(failed);
      worker.end(6);
    };
    launched[0]?.end(1);
    await vi.advanceTimersByTimeAsync(restartLimits.delayMaxMs * restartLimits.deathsInARowMax);
    expect(await over).toMatchObject({ exit: "locked", fix: "Take another." });
    expect(((await over) as CliError).message).toContain("8 times in a row. The last one failed: the port is taken");
    expect(launched[1]?.drains).toEqual([{ order: "drain", listening: true }]);
    expect(alive()).toEqual([]);
  });

  it("because a store does not answer is tried for as long as others serve", async () => {
    const { supervisor, launched, hooks } = supervise(2);
    await supervisor.start();
    hooks.onLaunch = (worker) => {
      worker.tell({ ...failed, exit: "unreachable" });
      worker.end(4);
    };
    launched[0]?.end(null, "SIGKILL");
    await vi.advanceTimersByTimeAsync(restartLimits.delayMaxMs * 30);
    expect(launched.length).toBeGreaterThan(restartLimits.deathsInARowMax * 2);
    expect(launched[1]?.isAlive).toBe(true);
    hooks.onLaunch = (worker) => worker.ready();
    await vi.advanceTimersByTimeAsync(restartLimits.delayMaxMs);
    expect(launched.at(-1)?.isAlive).toBe(true);
  });

  it("because somebody asked it to leave is followed at once", async () => {
    const { supervisor, launched } = supervise(2);
    await supervisor.start();
    launched[1]?.end(0);
    await settle();
    expect(launched).toHaveLength(3);
  });

  it("before it was ready, with exit 0, is not followed at once for ever", async () => {
    const { supervisor, launched, hooks } = supervise(2);
    await supervisor.start();
    supervisor.over.catch(() => {});
    hooks.onLaunch = (worker) => worker.end(0);
    launched[0]?.end(1);
    await vi.advanceTimersByTimeAsync(restartLimits.delayMaxMs * 30);
    expect(launched.length).toBeLessThanOrEqual(1 + restartLimits.deathsInARowMax);
  });
});

describe("a rolling restart", () => {
  it("asks a worker to leave only when its successor is ready, one after the other, and hands its administrative port on", async () => {
    const { supervisor, launched, hooks } = supervise(2);
    await supervisor.start();
    hooks.onLaunch = () => {};
    const rolled = supervisor.roll();
    await settle();
    expect(launched).toHaveLength(3);
    expect(launched[0]?.drains).toEqual([]);
    (launched[0] as FakeWorker).obeys = false;
    launched[2]?.ready();
    await settle();
    expect(launched[0]?.drains).toEqual([{ order: "drain", listening: false }]);
    expect(launched[2]?.orders).toEqual([]);
    expect(launched).toHaveLength(3);
    launched[0]?.end(0);
    await settle();
    expect(launched[2]?.orders).toEqual([{ order: "open_admin", port: 9_000 }]);
    launched[3]?.ready();
    await rolled;
    expect(launched.map(({ isAlive }) => isAlive)).toEqual([false, false, true, true]);
    expect(launched[3]?.orders).toEqual([{ order: "open_admin", port: 9_001 }]);
  });

  it("stops at a successor that fails: whoever serves goes on serving", async () => {
    const { supervisor, launched, hooks, said } = supervise(2);
    await supervisor.start();
    hooks.onLaunch = (worker) => worker.end(3);
    await supervisor.roll();
    expect(launched.map(({ isAlive }) => isAlive)).toEqual([true, true, false]);
    expect(said.at(-1)).toContain("given up");
    hooks.onLaunch = (worker) => worker.ready();
    await supervisor.roll();
    expect(launched.map(({ isAlive }) => isAlive)).toEqual([false, false, false, true, true]);
  });

  it("kills a predecessor that does not end in time", async () => {
    const { supervisor, launched } = supervise(1);
    await supervisor.start();
    (launched[0] as FakeWorker).obeys = false;
    const rolled = supervisor.roll();
    await vi.advanceTimersByTimeAsync(5_000);
    await rolled;
    expect(launched.map(({ isAlive }) => isAlive)).toEqual([false, true]);
  });

  it("keeps the number of workers when one dies while its successor starts", async () => {
    const { supervisor, launched, hooks, alive } = supervise(2);
    await supervisor.start();
    const waiting: FakeWorker[] = [];
    hooks.onLaunch = (worker) => void waiting.push(worker);
    const rolled = supervisor.roll();
    await settle();
    launched[0]?.end(null, "SIGKILL");
    await settle();
    hooks.onLaunch = (worker) => worker.ready();
    waiting[0]?.ready();
    await vi.advanceTimersByTimeAsync(restartLimits.delayMaxMs);
    await rolled;
    await vi.advanceTimersByTimeAsync(restartLimits.delayMaxMs);
    expect(alive()).toHaveLength(2);
  });

  it("is not begun twice", async () => {
    const { supervisor, launched, said } = supervise(1);
    await supervisor.start();
    await Promise.all([supervisor.roll(), supervisor.roll()]);
    expect(launched).toHaveLength(2);
    expect(said).toContain("No rolling restart now");
  });
});

describe("leaving", () => {
  it("asks everybody, waits, and kills whoever does not end in time", async () => {
    const { supervisor, launched } = supervise(2);
    await supervisor.start();
    (launched[1] as FakeWorker).obeys = false;
    let isOver = false;
    void supervisor.over.then(() => (isOver = true));
    const drained = supervisor.drain();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await drained;
    await settle();
    expect([isOver, launched.length]).toEqual([true, 2]);
  });

  it("in the middle of a rolling restart takes the successor along", async () => {
    const { supervisor, hooks, alive } = supervise(2);
    await supervisor.start();
    hooks.onLaunch = () => {};
    const rolled = supervisor.roll();
    await settle();
    await Promise.all([supervisor.drain(), rolled]);
    expect(alive()).toEqual([]);
  });

  it("while a dead worker waits to be started again starts nobody", async () => {
    const { supervisor, launched, alive } = supervise(2);
    await supervisor.start();
    launched[0]?.end(1);
    await settle();
    await supervisor.drain();
    await vi.advanceTimersByTimeAsync(restartLimits.delayMaxMs);
    expect([launched.length, alive()]).toEqual([2, []]);
  });
});
