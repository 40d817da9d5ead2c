import { assert } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import { KeyedLanes } from "../../base/keyed-lanes.ts";
import type {
  FanOutConsumption,
  FanOutJob,
  FanOutLag,
  FanOutQueue,
  QueuedJob,
} from "../../core/ports/fan-out-queue.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Environment } from "./environment.ts";
import { numberKey, numberOfKey } from "./keys.ts";
import { packedTable } from "./packed-table.ts";

/** place in the line → job */
const fanOutJobs = packedTable<QueuedJob>("fan_out_jobs");
const wholeLine = { start: numberKey(0), end: Buffer.alloc(7, 0xff), entriesMax: Number.MAX_SAFE_INTEGER };

interface PlacedJob {
  readonly place: number;
  readonly job: QueuedJob;
}

export interface LmdbFanOutQueueOptions {
  readonly clock: Clock;
  /** Absent = limits.fanOutRetryMs. */
  readonly retryMs?: number;
}

/**
 * The queue in LMDB: jobs in one line, on disk until their call has ended. This process is the only one that serves it,
 * so the line is also kept in memory (some 200 bytes a job, at most fanOutJobsWaitingMax of them and what passed `ready`
 * together) and read from the disk only when the folder is opened: what an earlier process left undone is first in line.
 */
export function createLmdbFanOutQueue(environment: Environment, options: LmdbFanOutQueueOptions): FanOutQueue {
  return new LmdbFanOutQueue(environment, options);
}

class LmdbFanOutQueue implements FanOutQueue {
  readonly membersMax = limits.membersPerGroupMax;
  readonly #environment: Environment;
  readonly #options: LmdbFanOutQueueOptions;
  /** By place, ascending. */
  readonly #waiting = new Map<number, QueuedJob>();
  #lanes: KeyedLanes<string, PlacedJob> | undefined;
  #nextPlace = 1;

  constructor(environment: Environment, options: LmdbFanOutQueueOptions) {
    this.#environment = environment;
    this.#options = options;
    for (const { key, value } of environment.range(fanOutJobs, wholeLine)) {
      this.#nextPlace = numberOfKey(key) + 1;
      this.#waiting.set(numberOfKey(key), value);
    }
  }

  async ready(): Promise<void> {
    this.#environment.checkDecided();
    if (this.#waiting.size >= limits.fanOutJobsWaitingMax) {
      throw new WireError("overloaded", { detail: `${this.#waiting.size} messages to large groups wait.` });
    }
  }

  async enqueue(jobs: readonly FanOutJob[]): Promise<void> {
    const enqueuedAt = this.#options.clock.nowMs();
    const placed = jobs.map((job): PlacedJob => ({ place: this.#nextPlace++, job: { ...job, enqueuedAt } }));
    await this.#environment.write((transaction) => {
      for (const { place, job } of placed) transaction.insert(fanOutJobs, numberKey(place), job);
    });
    for (const each of placed) {
      this.#waiting.set(each.place, each.job);
      this.#line(each);
    }
  }

  async consume(handle: (jobs: readonly QueuedJob[]) => Promise<void>): Promise<FanOutConsumption> {
    assert(this.#lanes === undefined, "the queue is served once");
    const lanes = new KeyedLanes<string, PlacedJob>({
      clock: this.#options.clock,
      itemsPerCallMax: limits.fanOutJobsPerCallMax,
      callsMax: limits.fanOutCallsMax,
      retryMs: this.#options.retryMs ?? limits.fanOutRetryMs,
      handle: async (placed) => {
        await handle(placed.map(({ job }) => job));
        await this.#commit(placed);
      },
    });
    this.#lanes = lanes;
    for (const [place, job] of this.#waiting) this.#line({ place, job });
    return { pause: () => lanes.pause(), resume: () => lanes.resume(), stop: () => lanes.stop() };
  }

  async lag(): Promise<FanOutLag> {
    for (const { enqueuedAt } of this.#waiting.values()) {
      return { jobsWaiting: this.#waiting.size, oldestAt: enqueuedAt };
    }
    return { jobsWaiting: 0, oldestAt: 0 };
  }

  #line(placed: PlacedJob): void {
    this.#lanes?.push(`${placed.job.conversationId}/${placed.job.chunk}`, [placed]);
  }

  async #commit(placed: readonly PlacedJob[]): Promise<void> {
    await this.#environment.write((transaction) => {
      for (const { place } of placed) transaction.remove(fanOutJobs, numberKey(place));
    });
    for (const { place } of placed) this.#waiting.delete(place);
  }
}
