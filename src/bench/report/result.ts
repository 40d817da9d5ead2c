import { z } from "zod";
import { type FaultKind, faultKindNames } from "../faults/fault-kinds.ts";
import { faultNames } from "../ledger/faults.ts";

/**
 * result.json, version 1: what `bench compare` and other programs read. Fields may be added; a change of meaning is a new
 * version. Durations in µs, times in ms since the common t0 unless they say otherwise, rates per second.
 */
export const resultVersion = 1;

const distribution = z.object({
  count: z.int().min(0),
  meanUs: z.number(),
  p50Us: z.number(),
  p90Us: z.number(),
  p99Us: z.number(),
  p999Us: z.number(),
  maxUs: z.number(),
  /** Serialised histogram (stats/histogram.ts), for merging and drawing. */
  histogram: z.array(z.number()),
});
export type DistributionResult = z.infer<typeof distribution>;

const interval = z.object({
  atMs: z.number(),
  started: z.int(),
  ended: z.int(),
  failed: z.int(),
  delivered: z.int().optional(),
  p50Us: z.number(),
  p99Us: z.number(),
  maxUs: z.number(),
});

const workload = z.object({
  name: z.string(),
  does: z.string(),
  executor: z.string(),
  /** False for closed executors: their latencies do not compare with those of open ones. */
  open: z.boolean(),
  asked: z.int(),
  started: z.int(),
  capped: z.int(),
  succeeded: z.int(),
  failed: z.int(),
  abandoned: z.int(),
  /** Due, but without anything to do: the user was away, nothing was unread. Not among the asked. */
  skipped: z.int(),
  askedPerSecond: z.number(),
  succeededPerSecond: z.number(),
  /** CPU time of the workers for one operation; absent when other workloads ran in the same phases. */
  generatorCpuUs: z.number().optional(),
  wait: distribution,
  service: distribution,
  response: distribution,
  delivery: z.object({
    each: distribution,
    first: distribution,
    last: distribution,
    /** `each` by route; absent where there was one server. */
    same: distribution.optional(),
    cross: distribution.optional(),
  }),
  /** Error codes of failed operations and how often. */
  errors: z.record(z.string(), z.int()),
  intervalMs: z.number(),
  series: z.array(interval),
});
export type WorkloadResult = z.infer<typeof workload>;

const faultCounts = z.object(
  Object.fromEntries(faultNames.map((name) => [name, z.int().optional()])) as Record<
    (typeof faultNames)[number],
    z.ZodOptional<z.ZodInt>
  >,
);

const ledger = z.object({
  ok: z.boolean(),
  sent: z.int(),
  acked: z.int(),
  refused: z.int(),
  undecided: z.int(),
  undecidedInLog: z.int(),
  logRows: z.int(),
  delivered: z.int(),
  read: z.int(),
  conversationsScanned: z.int(),
  conversationsUnscanned: z.int(),
  devicesAbsent: z.int(),
  presenceChecked: z.int().optional(),
  faults: z.object({
    counts: faultCounts,
    cases: z.array(z.object({ fault: z.enum(faultNames), detail: z.string() })).readonly(),
  }),
});

const presenceTimes = z.object({ count: z.int(), p50Ms: z.number(), maxMs: z.number() });

/** What became of promise I6; durations in ms. presence/presence-verdict.ts says what each is. */
const presence = z.object({
  users: z.int(),
  watchers: z.int(),
  checkedMs: z.number(),
  excusedMs: z.number(),
  online: presenceTimes,
  left: presenceTimes,
  silent: presenceTimes,
  killed: z.int(),
  cross: z.int(),
  excused: z.int(),
  falseOffline: z.int(),
  cases: z
    .array(z.object({ kind: z.enum(["false_offline", "late_online", "late_left", "late_silent"]), detail: z.string() }))
    .readonly(),
  cutAtMs: z.number().optional(),
});

const generator = z.object({
  valid: z.boolean(),
  reasons: z.array(z.string()).readonly(),
  /** What to know of a valid run: that the generator was the limit. */
  notes: z.array(z.string()).readonly().optional(),
  cpu: z.number(),
  eventLoopLagP99Ms: z.number(),
  startLagP99Ms: z.number(),
  asked: z.int(),
  capped: z.int(),
  ended: z.int(),
  inFlightPeak: z.int(),
  inFlightMax: z.int(),
  workers: z.array(z.object({ cpu: z.number(), eventLoopLagP99Ms: z.number() })).readonly(),
});

const threshold = z.object({
  metric: z.string(),
  statistic: z.string(),
  demanded: z.string(),
  unit: z.enum(["duration", "share", "rate", "count", "size"]),
  /** Absent: the run had no such data. */
  actual: z.number().optional(),
  ok: z.boolean(),
});

const server = z.object({
  /** How it was started, or the address that was given. */
  target: z.string(),
  /** Absent for a server that was given, and in a run on the stores alone. */
  profile: z.enum(["embedded", "cluster"]).optional(),
  version: z.string().optional(),
  cpu: z.number().optional(),
  rssPeakBytes: z.number().optional(),
  rssPerConnectionBytes: z.number().optional(),
  /** A lone durable write of this machine's disk, p50 of a probe before the run. */
  durableWriteUs: z.number().optional(),
  /** The data was on a file system in memory: nothing here was durable. */
  dataInMemory: z.boolean().optional(),
  /** It ended by itself during the run: how. */
  died: z.string().optional(),
});

/** Of each server of the run: what it held before the first fault (without faults: as the recording began), at most, at the end. */
const serverGrowth = z.object({
  server: z.string(),
  /** How many processes it was, one after the other. */
  processes: z.int(),
  memory: z.object({ beforeBytes: z.number(), peakBytes: z.number(), endBytes: z.number().optional() }).optional(),
  queues: z
    .array(
      z.object({
        queue: z.string(),
        unit: z.enum(["entries", "bytes"]),
        before: z.number(),
        peak: z.number(),
        /** Absent, as above: it was not read after the load. */
        end: z.number().optional(),
      }),
    )
    .readonly(),
});
export type ServerResult = z.infer<typeof serverGrowth>;

const store = z.object({
  name: z.string(),
  version: z.string(),
  /** Without user and password. */
  address: z.string(),
  /** Share of one core; absent for a store whose process or own account could not be read. */
  cpu: z.number().optional(),
  rssPeakBytes: z.number().optional(),
  commandsPerSecond: z.number().optional(),
  /** One entry for the time between two readings, at its end. */
  series: z.array(z.object({ atMs: z.number(), cpu: z.number(), rssBytes: z.number() })).optional(),
});
export type StoreResult = z.infer<typeof store>;

/** What was done to the run on purpose. Its end is when what was struck was whole again: a process ready, a link mended. */
const fault = z.object({
  do: z.enum(faultKindNames as [FaultKind, ...FaultKind[]]),
  which: z.string(),
  plannedAtMs: z.number(),
  /** As asked for; 0 = over at once. */
  forMs: z.number(),
  /** Absent: the load was over before its turn came. */
  atMs: z.number().optional(),
  endMs: z.number().optional(),
  /** From its end to the first interval with a success of everything there was before; absent: not seen. */
  firstSuccessMs: z.number().optional(),
  /** From its end until everything went as before; absent: not before the next fault or the end of the load. */
  recoveryMs: z.number().optional(),
  /** It took place, and the run recovered within 30 s (promise I12). */
  ok: z.boolean(),
});
export type FaultResult = z.infer<typeof fault>;

/** What the client machines did beyond the plan; repairs that worked are no faults. */
const clients = z.object({
  reconnects: z.int(),
  resends: z.int(),
  syncs: z.int(),
  rangesSent: z.int(),
  receiptsSent: z.int(),
  receiptsRefused: z.int(),
  duplicateRows: z.int(),
  violations: z.int(),
});

export const resultSchema = z.object({
  version: z.literal(resultVersion),
  id: z.string(),
  name: z.string(),
  description: z.string(),
  seed: z.int(),
  /** ISO 8601, wall clock. */
  startedAt: z.string(),
  /** Of the recorded phases. */
  recordedMs: z.number(),
  /** Of everything, from start to verdict. */
  wallMs: z.number(),
  versions: z.object({ msgr: z.string(), node: z.string(), gitRevision: z.string().optional() }),
  machine: z.object({
    platform: z.string(),
    cpu: z.string(),
    cores: z.int(),
    memoryBytes: z.number(),
    openFilesMax: z.number().optional(),
  }),
  /** The scenario as it ran, with extends and --set applied. */
  scenario: z.unknown(),
  users: z.int(),
  connections: z.int(),
  workers: z.int(),
  workloads: z.array(workload),
  ledger,
  /** Absent: it was not checked. */
  presence: presence.optional(),
  generator,
  thresholds: z.array(threshold),
  server,
  servers: z.array(serverGrowth).optional(),
  /** Deliveries between devices at servers that no fault struck: before the first one, and until all were back. */
  bystanders: z
    .object({ before: distribution, during: distribution, untilMs: z.number(), p99Ratio: z.number().optional() })
    .optional(),
  /** The real stores that the run was on. */
  stores: z.array(store).optional(),
  /** In the order of the scenario. */
  faults: z.array(fault).optional(),
  clients,
  /** Connections that devices lost against their will: until they were back and in sync. Absent: none was. */
  resync: z.object({ took: distribution, attemptsMean: z.number() }).optional(),
  /** ERROR frames that devices got, by code; most tell to try again, which devices do by themselves. */
  refusals: z.record(z.string(), z.int()).optional(),
  /** The run was stopped by a signal before its time. */
  interrupted: z.boolean(),
  exitCode: z.int(),
});
export type BenchResult = z.infer<typeof resultSchema>;

/** Reads a result file back; throws what zod says when it is none of this version. */
export function parseResult(text: string): BenchResult {
  return resultSchema.parse(JSON.parse(text));
}
