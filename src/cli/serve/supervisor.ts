import type { Clock } from "../../base/clock.ts";
import { createDeferred } from "../../base/deferred.ts";
import type { Logger } from "../../base/logger.ts";
import { CliError } from "../cli-error.ts";
import { restartDelayMs, restartLimits } from "./restart-delay.ts";
import {
  describeEnd,
  WorkerEndedError,
  WorkerProcess,
  type LaunchedProcess,
  type WorkerEnd,
} from "./worker-process.ts";

export interface SupervisorOptions {
  /** Workers, ≥ 1. */
  readonly count: number;
  readonly launch: () => LaunchedProcess;
  /** Administrative port of the first worker, the others have the next ones; 0 = any free ones, undefined = none. */
  readonly adminPort: number | undefined;
  /** A worker that has not ended this long after it was asked to is killed, in ms. */
  readonly drainMs: number;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
}

export interface ServingWorker {
  readonly pid: number;
  readonly node: string;
  readonly url: string;
  readonly adminUrl: string | undefined;
}

/** A worker that is not ready after this is killed: nobody would learn otherwise that it hangs. */
const readyMs = 120_000;

/** A place among the workers. Its administrative port stays, the processes that hold it change. */
interface Slot {
  worker: WorkerProcess;
  /** Undefined = there is none; 0 = any free one, until there is one. */
  adminPort: number | undefined;
  /** Since when the worker serves (monotonic, ms); undefined = not yet. */
  readyAtMs: number | undefined;
  deathsInARow: number;
}

/**
 * Keeps `count` workers running.
 *
 *   starting ──all are ready──▶ serving ◀──▶ rolling
 *      │                          └────┬────────┘
 *      │ one fails                     │ drain(), or a worker that keeps dying
 *      └──▶ over                       └──▶ leaving ──all have ended──▶ over
 *
 * starting is all or nothing: what is wrong with one is wrong with all. Later a worker that dies is started again after a
 * pause (restart-delay.ts). rolling: one after the other, a successor is started, and only when it is ready its
 * predecessor is asked to leave; the administrative port passes on when the predecessor is gone.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: Slot[] = [];
  /** Every process that was started and has not ended. */
  readonly #alive = new Set<WorkerProcess>();
  readonly #over = createDeferred<void>();
  readonly #failedToStart = createDeferred<never>();
  #state: "starting" | "serving" | "rolling" | "leaving" = "starting";
  #left: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#failedToStart.promise.catch(() => {});
    this.#over.promise.catch(() => {});
  }

  /** Resolves when every worker has ended because that was asked for; rejects with CliError when one keeps dying. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Resolves when all are ready. Rejects with CliError when one is not; then none is left. Once. */
  async start(): Promise<readonly ServingWorker[]> {
    try {
      // The first one alone: where it fails, the others would only say the same.
      const first = await Promise.race([this.#open(0), this.#failedToStart.promise]);
      const indexes = Array.from({ length: this.#options.count - 1 }, (_, at) => at + 1);
      const others = Promise.all(indexes.map((index) => this.#open(index)));
      const serving = [first, ...(await Promise.race([others, this.#failedToStart.promise]))];
      if (this.#state === "starting") this.#state = "serving";
      return serving;
    } catch (error) {
      await this.drain();
      throw error instanceof WorkerEndedError ? startFailed(error.end) : error;
    }
  }

  /** Asks every worker to leave, and waits for it. Idempotent; never rejects. */
  drain(): Promise<void> {
    this.#left ??= this.#drain().then(() => this.#over.resolve());
    return this.#left;
  }

  reload(): void {
    for (const worker of this.#alive) worker.reload();
  }

  /** Puts a new process in the place of every worker. Resolves when it is done or was given up; never rejects. */
  async roll(): Promise<void> {
    const { log } = this.#options;
    if (this.#state !== "serving") return log.warn({ state: this.#state }, "No rolling restart now");
    this.#state = "rolling";
    log.info({ workers: this.#slots.length }, "Rolling restart");
    let done = 0;
    for (const slot of this.#slots) {
      if (!(await this.#succeed(slot))) break;
      done++;
    }
    if (this.#state === "rolling") this.#state = "serving";
    if (done === this.#slots.length) log.info({ workers: done }, "Rolling restart done");
    else log.error({ done }, "Rolling restart given up; the other workers run on");
  }

  get #isLeaving(): boolean {
    return this.#state === "leaving";
  }

  async #drain(): Promise<void> {
    this.#state = "leaving";
    for (const worker of this.#alive) worker.drain({ listening: true });
    await Promise.all(Array.from(this.#alive, (worker) => this.#leave(worker)));
  }

  async #open(index: number): Promise<ServingWorker> {
    const { adminPort: first } = this.#options;
    const adminPort = first === undefined || first === 0 ? first : first + index;
    const slot: Slot = { worker: this.#launch(), adminPort, readyAtMs: undefined, deathsInARow: 0 };
    this.#slots.push(slot);
    this.#watch(slot);
    return this.#bringUp(slot);
  }

  #launch(): WorkerProcess {
    const worker = new WorkerProcess(this.#options.launch());
    this.#alive.add(worker);
    const timer = this.#options.clock.schedule(readyMs, () => {
      if (!worker.isServing) worker.kill();
    });
    void worker.ended.then(() => {
      timer.cancel();
      this.#alive.delete(worker);
    });
    return worker;
  }

  /** What happens when the worker that has the slot now ends. */
  #watch(slot: Slot): void {
    const { worker } = slot;
    void worker.ended.then((end) => {
      if (slot.worker !== worker || this.#state === "leaving") return;
      if (this.#state === "starting") this.#failedToStart.reject(new WorkerEndedError(worker.pid, end));
      else void this.#replace(slot, end);
    });
  }

  async #bringUp(slot: Slot): Promise<ServingWorker> {
    const { worker } = slot;
    const { node, url } = await worker.ready;
    slot.readyAtMs = this.#options.clock.monotonicMs();
    return { pid: worker.pid, node, url, adminUrl: await this.#openAdmin(slot) };
  }

  async #openAdmin(slot: Slot): Promise<string | undefined> {
    if (slot.adminPort === undefined) return undefined;
    const adminUrl = await slot.worker.openAdmin(slot.adminPort);
    slot.adminPort = Number(new URL(adminUrl).port);
    return adminUrl;
  }

  /** Never rejects. */
  async #replace(slot: Slot, end: WorkerEnd): Promise<void> {
    const { clock, log } = this.#options;
    const servedMs = slot.readyAtMs === undefined ? 0 : clock.monotonicMs() - slot.readyAtMs;
    const wasAsked = end.code === 0 && slot.readyAtMs !== undefined;
    if (wasAsked) slot.deathsInARow = 0;
    else slot.deathsInARow = servedMs >= restartLimits.steadyMs ? 1 : slot.deathsInARow + 1;
    if (this.#isHopeless(slot, end)) return this.#giveUp(slot, end);
    const delayMs = wasAsked ? 0 : restartDelayMs(slot.deathsInARow);
    const fields = { pid: slot.worker.pid, deaths_in_a_row: slot.deathsInARow, delay_ms: delayMs };
    log[wasAsked ? "info" : "error"](fields, `A worker ${describeEnd(end)} It is started again`);
    await new Promise<void>((resolve) => clock.schedule(delayMs, resolve));
    if (this.#isLeaving) return;
    slot.worker = this.#launch();
    slot.readyAtMs = undefined;
    this.#watch(slot);
    // One that ends before it is ready is replaced in its turn.
    await this.#bringUp(slot).then(
      ({ pid, node }) => log.info({ pid, node }, "A worker is ready again"),
      () => {},
    );
  }

  /** A store that does not answer is no reason to end those who serve without it. */
  #isHopeless(slot: Slot, end: WorkerEnd): boolean {
    if (slot.deathsInARow < restartLimits.deathsInARowMax) return false;
    const othersServe = this.#slots.some((other) => other !== slot && other.worker.isServing);
    return !(end.failure?.exit === "unreachable" && othersServe);
  }

  async #giveUp(slot: Slot, end: WorkerEnd): Promise<void> {
    const message = `A worker died ${slot.deathsInARow} times in a row. The last one ${describeEnd(end)}`;
    const fix = end.failure?.fix ?? "The log says what it did before.";
    this.#options.log.error({ deaths_in_a_row: slot.deathsInARow }, "A worker keeps dying; the server ends");
    this.#left ??= this.#drain();
    await this.#left;
    this.#over.reject(new CliError(end.failure?.exit ?? "failed", message, { fix }));
  }

  /** Whether to go on with the next slot. */
  async #succeed(slot: Slot): Promise<boolean> {
    const before = slot.worker;
    // What replaces it is new already.
    if (before.hasEnded) return true;
    const next = this.#launch();
    const ready = await next.ready.catch((error: unknown) => {
      this.#options.log.error({ err: error }, "A successor did not become ready; its predecessor stays");
      return undefined;
    });
    if (ready === undefined || this.#isLeaving) return false;
    if (slot.worker !== before || before.hasEnded) {
      // It died meanwhile and is being replaced: two would be one too many.
      next.drain({ listening: false });
      await this.#leave(next);
      return true;
    }
    Object.assign(slot, { worker: next, readyAtMs: this.#options.clock.monotonicMs(), deathsInARow: 0 });
    this.#watch(slot);
    before.drain({ listening: false });
    await this.#leave(before);
    // One whose administrative port cannot be opened ends, and is replaced.
    await this.#openAdmin(slot).catch(() => {});
    this.#options.log.info({ pid: next.pid, node: ready.node, before: before.pid }, "A worker took over");
    return !this.#isLeaving;
  }

  /** Waits for its end, and makes one when its time is up. */
  async #leave(worker: WorkerProcess): Promise<void> {
    const timer = this.#options.clock.schedule(this.#options.drainMs, () => {
      this.#options.log.warn({ pid: worker.pid }, "A worker did not end in time and is killed");
      worker.kill();
    });
    await worker.ended;
    timer.cancel();
  }
}

function startFailed(end: WorkerEnd): CliError {
  const { failure } = end;
  if (failure === undefined) {
    return new CliError("failed", `A worker ${describeEnd(end)}`, { fix: "The log says what it did before." });
  }
  return new CliError(failure.exit, failure.message, failure.fix === undefined ? {} : { fix: failure.fix });
}
