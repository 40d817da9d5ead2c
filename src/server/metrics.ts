import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { FanOutOutcome } from "../core/fan-out/create-fan-out-workers.ts";
import type { FanOutLag } from "../core/ports/fan-out-queue.ts";
import type { CloseReason } from "../protocol/close-codes.ts";
import type { ClientFrameType } from "../protocol/frames/client-frames.ts";
import type { ServerFrameType } from "../protocol/frames/server-frames.ts";
import type { WireErrorCode } from "../protocol/wire-errors.ts";

/**
 * Every metric of a server, declared once. What happens thousands of times a second is counted in plain fields and handed
 * to prom-client only when somebody scrapes. Labels are closed sets: frame types, codes, reasons; never ids.
 */
export interface Metrics {
  frameIn(type: ClientFrameType): void;
  frameOut(type: ServerFrameType, bytes: number): void;
  answered(type: ClientFrameType, ms: number): void;
  error(code: WireErrorCode): void;
  closeSent(reason: CloseReason): void;
  upgradeRefused(status: number): void;
  /** One write of the log that made `rows` messages durable, or not. */
  appended(outcome: "appended" | "conflict" | "undecided" | "failed", rows: number): void;
  /** Something happened to media: an upload was begun, a commit ended, orphans were removed. */
  media(event: MediaEvent, count?: number): void;
  /** A chunk of a large group was served, or was not; `members` of it. */
  fannedOut(outcome: FanOutOutcome, members: number): void;
  /** Where the gauges are read; called once. */
  observe(sources: MetricsSources): void;
  /** Prometheus text format. */
  text(): Promise<string>;
  readonly contentType: string;
  stop(): void;
}

export interface MetricsSources {
  readonly connections: () => number;
  readonly greeted: () => number;
  readonly fanOutLag: () => Promise<FanOutLag>;
  readonly queues: () => Queues;
}

/**
 * What waits in the memory of this process now, by queue. Each has a bound where it stands; together they show whether
 * something only grows (promise I12).
 */
export interface Queues {
  readonly entries: Readonly<Record<string, number>>;
  /** Of queues whose entries are of very different sizes. */
  readonly bytes: Readonly<Record<string, number>>;
}

export type MediaEvent = "upload" | "committed" | "incomplete" | "mismatch" | "orphan_removed";

type Tally = Record<string, number>;

const latencyBucketsS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const batchBuckets = [1, 2, 4, 8, 16, 32, 64];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const frames = { in: {} as Tally, out: {} as Tally, bytes: 0 };
  const tallies = {
    errors: {} as Tally,
    closes: {} as Tally,
    upgrades: {} as Tally,
    appends: {} as Tally,
    media: {} as Tally,
  };
  counter(registry, "msgr_frames_received_total", "Frames from clients", "type", frames.in);
  counter(registry, "msgr_frames_sent_total", "Frames to clients", "type", frames.out);
  counter(registry, "msgr_errors_total", "Errors answered", "code", tallies.errors);
  counter(registry, "msgr_closes_total", "Connections closed by this side", "reason", tallies.closes);
  counter(registry, "msgr_upgrades_refused_total", "Upgrades refused", "status", tallies.upgrades);
  counter(registry, "msgr_appends_total", "Writes to the message log", "outcome", tallies.appends);
  counter(registry, "msgr_media_total", "Uploads begun, how commits ended, orphans removed", "event", tallies.media);
  gauge(registry, "msgr_sent_bytes", "Bytes of frames to clients since the start", () => frames.bytes);
  const latency = new Histogram({
    name: "msgr_answer_seconds",
    help: "From the arrival of a frame to its answer; SEND_MESSAGE: to the ACK, so with the disk",
    labelNames: ["type"],
    buckets: latencyBucketsS,
    registers: [registry],
  });
  const batch = new Histogram({
    name: "msgr_append_rows",
    help: "Messages of one append",
    buckets: batchBuckets,
    registers: [registry],
  });
  const fannedOut = fanOutTally(registry);
  const lag = processGauges(registry);
  const observers = new Map<string, { observe(value: number): void }>();
  return {
    frameIn: (type) => add(frames.in, type),
    frameOut: (type, bytes) => {
      add(frames.out, type);
      frames.bytes += bytes;
    },
    answered: (type, ms) => {
      let observer = observers.get(type);
      if (observer === undefined) observers.set(type, (observer = latency.labels(type)));
      observer.observe(ms / 1_000);
    },
    error: (code) => add(tallies.errors, code),
    closeSent: (reason) => add(tallies.closes, reason),
    upgradeRefused: (status) => add(tallies.upgrades, String(status)),
    fannedOut,
    appended: (outcome, rows) => {
      add(tallies.appends, outcome);
      batch.observe(rows);
    },
    media: (event, count = 1) => add(tallies.media, event, count),
    observe: (sources) => {
      gauge(registry, "msgr_connections", "Open WebSockets in any state", sources.connections);
      gauge(registry, "msgr_connections_greeted", "WebSockets that said HELLO", sources.greeted);
      observeFanOut(registry, sources.fanOutLag);
      observeQueues(registry, sources.queues);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
    stop: () => lag.disable(),
  };
}

function add(tally: Tally, name: string, count = 1): void {
  tally[name] = (tally[name] ?? 0) + count;
}

function counter(registry: Registry, name: string, help: string, label: string, tally: Tally): void {
  const metric: Counter = new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      metric.reset();
      for (const [value, count] of Object.entries(tally)) metric.inc({ [label]: value }, count);
    },
  });
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const metric: Gauge = new Gauge({ name, help, registers: [registry], collect: () => metric.set(read()) });
}

function observeQueues(registry: Registry, read: () => Queues): void {
  const observe = (
    name: string,
    help: string,
    valuesOf: (queues: Queues) => Readonly<Record<string, number>>,
  ): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      labelNames: ["queue"],
      registers: [registry],
      collect() {
        for (const [queue, value] of Object.entries(valuesOf(read()))) metric.set({ queue }, value);
      },
    });
  };
  observe("msgr_queue_entries", "What waits in this process or is under way, by queue", ({ entries }) => entries);
  observe("msgr_queue_bytes", "Bytes that wait in this process, by queue", ({ bytes }) => bytes);
}

function fanOutTally(registry: Registry): Metrics["fannedOut"] {
  const outcomes: Tally = {};
  let served = 0;
  const help = "Chunks of large groups: done, failed and to come again, dropped";
  counter(registry, "msgr_fan_outs_total", help, "outcome", outcomes);
  gauge(registry, "msgr_fan_out_members", "Members of large groups served since the start", () => served);
  return (outcome, members) => {
    add(outcomes, outcome);
    served += members;
  };
}

/** A queue that does not answer leaves the values as they were. */
function observeFanOut(registry: Registry, read: () => Promise<FanOutLag>): void {
  const observe = (name: string, help: string, valueOf: (lag: FanOutLag) => number): void => {
    const metric: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const lag = await read().catch(() => undefined);
        if (lag !== undefined) metric.set(valueOf(lag));
      },
    });
  };
  observe("msgr_fan_out_jobs_waiting", "Jobs of large groups that are not done", (lag) => lag.jobsWaiting);
  observe("msgr_fan_out_oldest_seconds", "Age of the oldest job of a large group that is not done", ({ oldestAt }) =>
    oldestAt === 0 ? 0 : Math.max(0, (Date.now() - oldestAt) / 1_000),
  );
}

function processGauges(registry: Registry): { disable(): boolean } {
  const lag = monitorEventLoopDelay({ resolution: 20 });
  lag.enable();
  const started = process.cpuUsage();
  gauge(registry, "msgr_event_loop_lag_p99_seconds", "Lag of the event loop since the last scrape", () => {
    const value = lag.percentile(99) / 1e9;
    lag.reset();
    return value;
  });
  gauge(registry, "process_resident_memory_bytes", "Resident memory", () => process.memoryUsage.rss());
  gauge(registry, "nodejs_heap_used_bytes", "Used heap of V8", () => process.memoryUsage().heapUsed);
  gauge(registry, "nodejs_external_memory_bytes", "Buffers outside of the heap", () => process.memoryUsage().external);
  gauge(registry, "process_cpu_seconds", "User and system time since the start", () => {
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1e6;
  });
  gauge(registry, "process_uptime_seconds", "Since the start", () => process.uptime());
  return lag;
}
