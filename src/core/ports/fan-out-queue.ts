import type { Uuid } from "../../protocol/ids.ts";

/**
 * What one chunk of a large group's members still has to be told: rows [fromSeq, toSeq] of the log. Ids only; who they
 * are and what the rows say is read when the job is done, so a job may be done late and twice.
 */
export interface FanOutJob {
  readonly conversationId: Uuid;
  /** From 1. */
  readonly fromSeq: number;
  readonly toSeq: number;
  /** In [0, limits.fanOutChunks): the members whose hash is that (core/fan-out/chunks.ts), whoever they are by then. */
  readonly chunk: number;
  /** Membership version of the log at `toSeq`: what is known of the members has to be at least as new. */
  readonly membership: number;
}

export interface QueuedJob extends FanOutJob {
  /** Wall-clock ms when it was enqueued. */
  readonly enqueuedAt: number;
}

export interface FanOutLag {
  /** Jobs that are not done, those under way included; of the whole queue, whoever serves it. An estimate. */
  readonly jobsWaiting: number;
  /** Wall-clock ms when the oldest of them was enqueued; 0 = none waits. */
  readonly oldestAt: number;
}

export interface FanOutConsumption {
  /** No new call until `resume`; those under way go on. Both idempotent. */
  pause(): void;
  resume(): void;
  /** No new call ever; resolves when those under way have ended and what they did is committed. */
  stop(): Promise<void>;
}

/**
 * The durable queue between a send to a large group and its members. Any number of processes put jobs in and serve them.
 *
 * At least once: a job is committed after its call resolved, so one whose process dies comes again, to whichever process
 * serves it then. Jobs of one (conversation, chunk) come in the order in which they were enqueued, and not in two calls
 * at once, unless a process that was taken for dead is still working.
 * Bound: limits.fanOutJobsWaitingMax, judged by `ready`; what passed it together may exceed it a little.
 * Errors: WireError `store_unavailable`, `storage_full`, and `overloaded` of `ready`.
 */
export interface FanOutQueue {
  /** Members of the largest group that it serves: groups do not grow beyond it. */
  readonly membersMax: number;

  /**
   * Resolves when jobs can be put in now. Asked before each append that will need it; costs no round trip. Rejects with
   * `store_unavailable` when the queue is gone, `overloaded` when it is behind its bound: then nothing has happened.
   */
  ready(): Promise<void>;

  /** Durable when it resolves. An error leaves it open whether the jobs are in the queue. */
  enqueue(jobs: readonly FanOutJob[]): Promise<void>;

  /**
   * Calls `handle` with jobs, in order, as soon as there are any: at most limits.fanOutJobsPerCallMax a call, perhaps of
   * several (conversation, chunk), and at most limits.fanOutCallsMax calls side by side. A call that rejects leaves its jobs where they
   * are: they come again after a pause, before those behind them. A call may take limits.fanOutCeilingMs: whatever keeps
   * this consumer alive must not wait for it. Once a process.
   */
  consume(handle: (jobs: readonly QueuedJob[]) => Promise<void>): Promise<FanOutConsumption>;

  lag(): Promise<FanOutLag>;
}
