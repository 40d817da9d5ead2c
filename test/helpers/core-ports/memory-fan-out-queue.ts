import type { Clock } from "../../../src/base/clock.ts";
import type {
  FanOutConsumption,
  FanOutJob,
  FanOutLag,
  FanOutQueue,
  QueuedJob,
} from "../../../src/core/ports/fan-out-queue.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import { fairWeather, under, type Weather } from "./weather.ts";

type Handle = (jobs: readonly QueuedJob[]) => Promise<void>;

/** How often the broker asks whether a consumer still lives. */
const aliveCheckMs = 3_000;

class Consumer {
  readonly handle: Handle;
  readonly alive: () => boolean;
  state: "running" | "paused" | "lost" | "stopped" = "running";
  calls = 0;
  drained: (() => void)[] = [];

  constructor(handle: Handle, alive: () => boolean) {
    this.handle = handle;
    this.alive = alive;
  }
}

/** One handing-over of the first jobs of a line. */
interface Lease {
  readonly consumer: Consumer;
  readonly jobs: readonly QueuedJob[];
}

interface Line {
  readonly jobs: QueuedJob[];
  lease: Lease | undefined;
  resting: boolean;
}

/**
 * The queue as a broker with a consumer group keeps it: one for all processes, which outlives them. A consumer that no
 * longer lives loses what it was given to another one, while it may still be working on it.
 */
export class MemoryFanOutQueue implements FanOutQueue {
  readonly membersMax = limits.membersPerGroupMax;
  weather: Weather;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();
  #consumers: Consumer[] = [];
  #turn = 0;

  constructor(weather: Weather = fairWeather(), clock: Clock) {
    this.weather = weather;
    this.#clock = clock;
  }

  ready(): Promise<void> {
    return under(this.weather, "fanOut.ready", () => {
      if (this.#jobs().length >= limits.fanOutJobsWaitingMax) throw new WireError("overloaded");
    });
  }

  enqueue(jobs: readonly FanOutJob[]): Promise<void> {
    return under(this.weather, "fanOut.enqueue", () => {
      const enqueuedAt = this.#clock.nowMs();
      for (const job of jobs) {
        const key = `${job.conversationId}/${job.chunk}`;
        let line = this.#lines.get(key);
        if (line === undefined) this.#lines.set(key, (line = { jobs: [], lease: undefined, resting: false }));
        line.jobs.push({ ...job, enqueuedAt });
        this.#hand(line);
      }
    });
  }

  consume(handle: Handle): Promise<FanOutConsumption> {
    return this.consumeAs(handle, () => true);
  }

  /** `alive`: whether that process still answers. */
  async consumeAs(handle: Handle, alive: () => boolean): Promise<FanOutConsumption> {
    const consumer = new Consumer(handle, alive);
    this.#consumers.push(consumer);
    this.#handAll();
    return {
      pause: () => {
        if (consumer.state === "running") consumer.state = "paused";
      },
      resume: () => {
        if (consumer.state !== "paused") return;
        consumer.state = "running";
        this.#handAll();
      },
      stop: async () => {
        consumer.state = "stopped";
        if (consumer.calls > 0) await new Promise<void>((resolve) => consumer.drained.push(resolve));
        this.#consumers = this.#consumers.filter((other) => other !== consumer);
      },
    };
  }

  async lag(): Promise<FanOutLag> {
    const times = this.#jobs().map((job) => job.enqueuedAt);
    return { jobsWaiting: times.length, oldestAt: times.length === 0 ? 0 : Math.min(...times) };
  }

  /** Every process dies at once; what they were given is there again for whoever comes. */
  disconnectAll(): void {
    this.#consumers = [];
    for (const line of this.#lines.values()) line.lease = undefined;
  }

  /** Whether a job waits that tells the row to the chunk: for checkers. */
  holds(conversationId: Uuid, chunk: number, seq: number): boolean {
    const { jobs = [] } = this.#lines.get(`${conversationId}/${chunk}`) ?? {};
    return jobs.some((job) => job.fromSeq <= seq && job.toSeq >= seq);
  }

  #jobs(): readonly QueuedJob[] {
    return [...this.#lines.values()].flatMap((line) => line.jobs);
  }

  #handAll(): void {
    for (const line of this.#lines.values()) this.#hand(line);
  }

  #hand(line: Line): void {
    if (line.jobs.length === 0 || line.lease !== undefined || line.resting) return;
    const running = this.#consumers.filter((consumer) => consumer.state === "running");
    const consumer = running[this.#turn++ % (running.length || 1)];
    if (consumer === undefined) return;
    const lease = { consumer, jobs: line.jobs.slice(0, limits.fanOutJobsPerCallMax) };
    line.lease = lease;
    this.#watch(line, lease);
    void this.#call(line, lease);
  }

  async #call(line: Line, lease: Lease): Promise<void> {
    const { consumer, jobs } = lease;
    consumer.calls++;
    let done = true;
    try {
      await consumer.handle(jobs);
    } catch {
      done = false;
    }
    consumer.calls--;
    // It was taken for dead and lives after all.
    if (consumer.state === "lost") {
      consumer.state = "running";
      this.#handAll();
    }
    if (line.lease === lease) {
      line.lease = undefined;
      if (done) line.jobs.splice(0, jobs.length);
      else this.#rest(line);
      this.#hand(line);
    }
    if (consumer.calls === 0) for (const resolve of consumer.drained.splice(0)) resolve();
  }

  #rest(line: Line): void {
    line.resting = true;
    this.#clock.schedule(limits.fanOutRetryMs, () => {
      line.resting = false;
      this.#hand(line);
    });
  }

  #watch(line: Line, lease: Lease): void {
    this.#clock.schedule(aliveCheckMs, () => {
      if (line.lease !== lease) return;
      if (lease.consumer.alive()) {
        this.#watch(line, lease);
        return;
      }
      lease.consumer.state = "lost";
      line.lease = undefined;
      this.#hand(line);
    });
  }
}
