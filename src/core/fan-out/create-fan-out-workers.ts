import type { Clock } from "../../base/clock.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Bus } from "../ports/bus.ts";
import type { FanOutConsumption, FanOutQueue, QueuedJob } from "../ports/fan-out-queue.ts";
import type { Groups } from "../ports/groups.ts";
import type { MessageLog } from "../ports/message-log.ts";
import { ChunkMembers } from "./chunk-members.ts";
import { FanOutPace } from "./fan-out-pace.ts";
import { FanOutStopped } from "./fan-out-stopped.ts";
import { mergeJobs, readChunk, serveMembers, type ChunkWork } from "./serve-chunk.ts";
import { ServedRows } from "./served-rows.ts";

export interface FanOutWorkersDeps {
  readonly log: MessageLog;
  readonly groups: Groups;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly fanOut: FanOutQueue;
  /** How each piece of work ended. */
  observe(outcome: FanOutOutcome, members: number, error: unknown): void;
}

/** `failed`: a store did not answer, it comes again. `dropped`: it cannot be done; the lists are repaired when they are read. */
export type FanOutOutcome = "done" | "failed" | "dropped";

export interface FanOutWorkers {
  /** Rejects with the WireError of a queue that is gone. Once. */
  start(): Promise<void>;
  /** Finishes what is being written, leaves what waits in the queue. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Serves the queue of large groups: lists and pushes what sends to them left to be done.
 *
 *   job → members of its chunk → (wait for a turn, fan-out-pace.ts) → some at a time: list rows durable → pushes → committed
 *
 * What was appended while a job waited for its turn goes along with it, so that no message waits for two turns; the jobs
 * of those rows then find them done.
 *
 * A process may die after any of these: the job comes again, to this process or another, and everything repeats
 * harmlessly. A store that does not answer brings the job again after a pause. What fails in any other way would fail for
 * ever and hold up those behind it: it is dropped and told, and readers repair their own lists (delivery/repair.ts).
 */
export function createFanOutWorkers(deps: FanOutWorkersDeps): FanOutWorkers {
  const pace = new FanOutPace(deps.clock);
  const members = new ChunkMembers(deps.groups);
  const served = new ServedRows();
  let consumption: FanOutConsumption | undefined;

  const serve = async (asked: ChunkWork): Promise<void> => {
    const work = served.restOf(asked);
    if (work === undefined) return;
    try {
      const { intervals, membership } = await members.of(work);
      const readers = intervals.filter(({ leftSeq }) => leftSeq === 0 || leftSeq > work.fromSeq);
      if (readers.length === 0) return;
      const waited = await pace.turn(work.conversationId, readers.length, work.enqueuedAt);
      const whole = waited ? await withNewer(deps.log, work, membership) : work;
      const { writes, rows } = await readChunk(deps.log, whole, readers);
      await pace.inSteps(writes, work.enqueuedAt, (step) =>
        serveMembers(deps, work.conversationId, rows, readers, step),
      );
      served.add(whole);
      deps.observe("done", writes.length, undefined);
    } catch (error) {
      if (error instanceof FanOutStopped) throw error;
      const again = error instanceof WireError && error.temporary;
      deps.observe(again ? "failed" : "dropped", 0, error);
      if (again) throw error;
    }
  };

  const handle = async (jobs: readonly QueuedJob[]): Promise<void> => {
    const ended = await Promise.allSettled(mergeJobs(jobs).map(serve));
    const failed = ended.find((each) => each.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  };

  return {
    async start() {
      consumption = await deps.fanOut.consume(handle);
    },
    async stop() {
      pace.stop();
      await consumption?.stop();
    },
  };
}

/**
 * The work with the rows that were appended since, as far as the members are still those that are known: a row of a later
 * version is for others.
 */
async function withNewer(log: MessageLog, work: ChunkWork, membership: number): Promise<ChunkWork> {
  const newest = await log.newestBucket(work.conversationId, work.toSeq, "latest");
  if (newest === undefined || newest.head.membership > membership) return work;
  return { ...work, toSeq: Math.max(work.toSeq, newest.head.head) };
}
