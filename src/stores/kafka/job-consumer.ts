import type { Admin, ConnectionPool } from "@platformatic/kafka";
import { present } from "../../base/assert.ts";
import type { Clock } from "../../base/clock.ts";
import { KeyedLanes } from "../../base/keyed-lanes.ts";
import type { Logger } from "../../base/logger.ts";
import type { FanOutConsumption, QueuedJob } from "../../core/ports/fan-out-queue.ts";
import { limits } from "../../protocol/limits.ts";
import type { BrokerChoice } from "./broker-choice.ts";
import type { FetchedPartition, FetchedRecord } from "./fetch-records.ts";
import { GroupMember } from "./group-member.ts";
import { decodeJob } from "./job-codec.ts";
import { JobFetcher, offsetOutOfRange, type Hold } from "./job-fetcher.ts";
import { OffsetCommits } from "./offset-commits.ts";
import { readFirst, readOffsets } from "./offsets.ts";
import { fanOutGroup, fanOutTopic, membership, type KafkaSettings } from "./settings.ts";

export interface JobConsumerOptions {
  readonly settings: KafkaSettings;
  readonly choice: BrokerChoice;
  readonly admin: Admin;
  /** For short requests, and for those that wait for jobs. */
  readonly control: ConnectionPool;
  readonly fetch: ConnectionPool;
  readonly clock: Clock;
  readonly log: Logger;
  readonly retryMs: number;
  readonly handle: (jobs: readonly QueuedJob[]) => Promise<void>;
}

interface ReadJob {
  readonly offset: bigint;
  /** undefined = what stands there is no job, and is passed over. */
  readonly job: QueuedJob | undefined;
}

/** Jobs of a partition that wait here; beyond it the partition is not read on. */
const waitingMax = 8 * limits.fanOutJobsPerCallMax;
const againAfterMs = 200;
/** It is not known yet where the partition was left. */
const unlocated = -1n;

/**
 * Serves the partitions that the group gives to this process.
 *
 *   gained → (where was it left?) → read → wait in its lane → handled → committed → …
 *          └ handed over: its call ends, is committed, and then it is somebody else's
 *          └ lost: nothing more is committed for it
 *
 * Reading, heartbeats and commits go on whatever calls do; a lane that is full is not read on, and its partition waits in
 * Kafka. Commits follow calls and do not hold them up: what a process had done and not committed when it died is done again.
 */
export class JobConsumer implements FanOutConsumption {
  readonly #options: JobConsumerOptions;
  readonly #held = new Map<number, Hold>();
  /** By partition. */
  readonly #lanes: KeyedLanes<number, ReadJob>;
  readonly #commits: OffsetCommits;
  readonly #member: GroupMember;
  readonly #fetcher: JobFetcher;
  #stopped: Promise<void> | undefined;

  constructor(options: JobConsumerOptions) {
    this.#options = options;
    const { settings, choice, clock, log, retryMs, control } = options;
    this.#lanes = new KeyedLanes({
      clock,
      retryMs,
      itemsPerCallMax: limits.fanOutJobsPerCallMax,
      callsMax: limits.fanOutCallsMax,
      handle: (items) => this.#handle(items),
      onDone: (partition, items) => this.#done(partition, items),
    });
    this.#member = new GroupMember({
      settings,
      choice,
      clock,
      log,
      control,
      onGained: (partitions) => this.#gain(partitions),
      release: (partitions) => this.#release(partitions),
      onLost: (partitions) => this.#lose(partitions),
    });
    this.#commits = new OffsetCommits({
      clock,
      retryMs: againAfterMs,
      send: (offsets) => this.#member.commit(offsets),
    });
    this.#fetcher = new JobFetcher({
      admin: options.admin,
      pool: options.fetch,
      topic: fanOutTopic(settings),
      clock,
      wants: () => [...this.#held.values()].filter((hold) => this.#hasRoom(hold)),
      onFetched: (hold, from, found) => this.#take(hold, from, found),
    });
  }

  start(): void {
    this.#member.start();
  }

  /** The topic was looked at, and has so many partitions. */
  noteTopic(partitions: number): void {
    this.#member.noteTopic(partitions);
  }

  pause(): void {
    this.#lanes.pause();
  }

  resume(): void {
    this.#lanes.resume();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Leaves without waiting for calls; nothing is committed any more. After `stop` there is nothing left to do. */
  async close(): Promise<void> {
    this.#fetcher.stop();
    void this.#lanes.stop();
    await this.#member.stop();
  }

  async #stop(): Promise<void> {
    this.#fetcher.stop();
    await this.#lanes.stop();
    await this.#commits.settle(this.#options.settings.timeoutMs);
    await this.#member.stop();
  }

  async #handle(items: readonly ReadJob[]): Promise<void> {
    const jobs = items.flatMap(({ job }) => (job === undefined ? [] : [job]));
    if (jobs.length > 0) await this.#options.handle(jobs);
  }

  #done(partition: number, items: readonly ReadJob[]): void {
    const last = items.at(-1);
    if (last !== undefined) this.#commits.mark(partition, last.offset + 1n);
    this.#fetcher.wake();
  }

  #hasRoom({ partition, next }: Hold): boolean {
    return next !== unlocated && this.#lanes.waiting(partition) < waitingMax;
  }

  #gain(partitions: readonly number[]): void {
    void this.#locate(partitions.map((partition): Hold => ({ partition, next: unlocated })));
  }

  /** Finds out where the partitions were left, and has them read from there. Asked after they became ours, so it is the last word. */
  async #locate(holds: readonly Hold[]): Promise<void> {
    const { admin, settings } = this.#options;
    for (const hold of holds) this.#held.set(hold.partition, hold);
    await this.#whileOurs(holds, async () => {
      const offsets = await readOffsets(admin, fanOutTopic(settings), fanOutGroup(settings));
      const starts = new Map(offsets.map(({ start }, partition) => [partition, start]));
      if (!holds.every(({ partition }) => starts.has(partition))) {
        // Of a partition that was added a moment ago.
        admin.clearMetadata();
        throw new Error("a partition that the group has and the topic does not show yet");
      }
      return (hold) => present(starts.get(hold.partition), "the place of a partition");
    });
  }

  /** The topic was made anew, or forgot what nobody served in time: on with the oldest that it has. */
  async #skip(hold: Hold): Promise<void> {
    const { admin, settings, log } = this.#options;
    const from = hold.next;
    hold.next = unlocated;
    await this.#whileOurs([hold], async () => {
      const first = await readFirst(admin, fanOutTopic(settings), hold.partition);
      const fields = { partition: hold.partition, from: String(from), to: String(first) };
      log.warn(fields, "Kafka does not have the next jobs of a partition any more");
      return () => first;
    });
  }

  /** Asks until there is an answer, or nobody needs it any more. */
  async #whileOurs(holds: readonly Hold[], ask: () => Promise<(hold: Hold) => bigint>): Promise<void> {
    const ours = (): readonly Hold[] => holds.filter((hold) => this.#held.get(hold.partition) === hold);
    while (ours().length > 0 && this.#stopped === undefined) {
      try {
        const placeOf = await ask();
        for (const hold of ours()) hold.next = placeOf(hold);
        return this.#fetcher.wake();
      } catch {
        // The health of the queue tells; here it only means: again.
        await new Promise<void>((resolve) => this.#options.clock.schedule(againAfterMs, resolve));
      }
    }
  }

  async #release(partitions: readonly number[]): Promise<void> {
    await Promise.all(
      partitions.map(async (partition) => {
        this.#held.delete(partition);
        await this.#lanes.release(partition);
        // It took too long: the partition was lost, and has come back meanwhile.
        if (this.#held.has(partition)) return;
        await this.#commits.settle(membership.handOverMsMax, partition);
        this.#commits.forget(partition);
      }),
    );
  }

  #lose(partitions: readonly number[]): void {
    for (const partition of partitions) {
      this.#held.delete(partition);
      this.#lanes.drop(partition);
      this.#commits.forget(partition);
    }
  }

  #take(hold: Hold, from: bigint, found: FetchedPartition): void {
    if (this.#held.get(hold.partition) !== hold || hold.next !== from) return;
    if (found.errorCode === offsetOutOfRange) void this.#skip(hold);
    if (found.errorCode !== 0) return;
    hold.next = found.next;
    this.#lanes.push(
      hold.partition,
      found.records.map((record) => ({ offset: record.offset, job: this.#decode(hold.partition, record) })),
    );
  }

  #decode(partition: number, { offset, timestampMs, value }: FetchedRecord): QueuedJob | undefined {
    const job = decodeJob(value);
    if (job !== undefined) return { ...job, enqueuedAt: timestampMs };
    this.#options.log.error({ partition, offset: String(offset) }, "A record in Kafka is no job and is passed over");
    return undefined;
  }
}
