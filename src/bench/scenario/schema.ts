import { z } from "zod";
import { limits as protocolLimits } from "../../protocol/limits.ts";
import {
  type Condition,
  parseCondition,
  parseSelector,
  type Selector,
  type Statistic,
  statistics,
} from "../metrics.ts";
import {
  attempt,
  countField,
  fail,
  positiveDurationField,
  rateField,
  section,
  shareField,
  wordField,
} from "./fields.ts";
import type { ExecutorSpec } from "./executor-options.ts";
import { faultField } from "./fault-field.ts";
import { type Operation, targetModes } from "./operations.ts";

/** A scenario file without its workloads, whose keys depend on what they do (see workload.ts). Times in ms. */
const nameField = z
  .string({ error: "expected a name" })
  .regex(/^[a-z][a-z0-9-]{0,63}$/, "a name is a–z, 0–9 and -, begins with a letter and has at most 64 characters");

const groupField = section({
  members: countField(2, protocolLimits.membersPerGroupMax),
  count: countField(1, 1_000_000),
  history: countField(0, 10_000_000).default(0),
});

const populationField = section({
  users: countField(1, 10_000_000),
  devices: countField(1, protocolLimits.devicesPerUserMax).default(1),
  contacts: countField(0, protocolLimits.contactsPerUserMax).default(0),
  /** Messages in each direct conversation before the load begins. */
  history: countField(0, 10_000_000).default(0),
  groups: z.array(groupField, { error: "expected a list of {members, count}" }).max(16).default([]),
});

const phaseField = section({
  name: nameField,
  duration: positiveDurationField.optional(),
  record: z.boolean({ error: "expected true or false" }).default(true),
  connect: rateField.optional(),
  /** It ends when the faults are over and what came after them was seen; `duration` is the longest. */
  until: wordField("end of a phase", ["faults"]).optional(),
});

export const profiles = ["embedded", "cluster"] as const;

const targetField = section({
  mode: wordField("target", targetModes).default("server"),
  /** What the server that the run starts keeps its data in. */
  profile: wordField("profile", profiles).default("embedded"),
  /** Server processes that the run starts; connections are spread over them. */
  servers: countField(1, 16).default(1),
  /** More than one: the run starts a stack of its own that has so many, each with a copy of everything. */
  cassandra_nodes: z.union([z.literal(1), z.literal(3)], { error: "expected 1 or 3" }).default(1),
});

const limitsField = section({
  in_flight: countField(1, 10_000_000).default(20_000),
  generator_cpu: shareField.default(0.9),
  event_loop_lag_p99: positiveDurationField.default(100),
  start_lag_p99: positiveDurationField.default(100),
  achieved_rate: shareField.default(0.95),
}).transform((limits) => ({
  inFlightMax: limits.in_flight,
  /** Of one core, for the busiest worker. */
  generatorCpuMax: limits.generator_cpu,
  eventLoopLagP99MaxMs: limits.event_loop_lag_p99,
  startLagP99MaxMs: limits.start_lag_p99,
  achievedRateMin: limits.achieved_rate,
}));

/** Shares of what is looked at after the run: conversations whose log is read, users whose lists and presence are. */
const verifyField = section({
  log: shareField.default(1),
  unread: shareField.default(1),
  /** Of a server: of those who are watched all the time. By default where something breaks (presence-share.ts). */
  presence: shareField.optional(),
});

const thresholdField = section({
  metric: z.string({ error: "expected a metric such as response{workload:name}" }),
  ...(Object.fromEntries(statistics.map((statistic) => [statistic, comparisonText()])) as Record<
    Statistic,
    ReturnType<typeof comparisonText>
  >),
}).transform((written, context): Threshold => {
  const selector = attempt(context, () => parseSelector(written.metric), ["metric"]);
  if (selector === z.NEVER) return z.NEVER;
  const conditions: Condition[] = [];
  for (const statistic of statistics) {
    const text = written[statistic];
    if (text !== undefined)
      conditions.push(attempt(context, () => parseCondition(selector.name, statistic, text), [statistic]));
  }
  // An unknown key has been reported already; it was probably meant to be the comparison.
  if (conditions.length === 0 && context.issues.length > 0) return z.NEVER;
  if (conditions.length === 0) return fail(context, `a threshold compares something (${statistics.join(", ")})`);
  return { selector, conditions };
});

function comparisonText() {
  return z.union([z.string(), z.number()], { error: 'expected a comparison such as "< 50ms"' }).optional();
}

export interface Threshold {
  readonly selector: Selector;
  readonly conditions: readonly Condition[];
}

const wholeSeed = { error: "expected a whole number from 0 to 4294967295" };

export const scenarioSchema = section({
  version: z.literal(1, { error: "expected version: 1" }),
  name: nameField,
  description: z.string({ error: "expected text" }).min(1).max(500),
  seed: z.int(wholeSeed).min(0, wholeSeed).max(0xffff_ffff, wholeSeed).default(42),
  target: targetField.default(targetField.parse({})),
  population: populationField,
  load: z.record(nameField, z.unknown(), { error: "expected workloads by name" }),
  phases: z.array(phaseField, { error: "expected a list of phases" }).min(1).max(64),
  faults: z.array(faultField, { error: "expected a list of faults" }).max(64).default([]),
  limits: limitsField.default(limitsField.parse({})),
  verify: verifyField.default(verifyField.parse({})),
  thresholds: z.array(thresholdField, { error: "expected a list of thresholds" }).max(256).default([]),
  capture: z
    .array(wordField("capture", ["process", "redis"]), { error: "expected a list" })
    .default(["process", "redis"]),
});

export type ScenarioFile = z.infer<typeof scenarioSchema>;

export type Workload = Operation & {
  readonly name: string;
  readonly when: ExecutorSpec;
  /** Names of the phases in which it runs; undefined = all of them. */
  readonly during?: readonly string[];
};

export interface LoadPhase {
  readonly name: string;
  readonly durationMs: number;
  /** False: warm-up, left out of every result. */
  readonly record: boolean;
}

export interface Scenario extends Omit<ScenarioFile, "load" | "phases"> {
  readonly workloads: readonly Workload[];
  /** The phases under load, in order. */
  readonly phases: readonly LoadPhase[];
  /** The load ends before its time when the last fault is over and its recovery could be seen. */
  readonly endsAfterFaults: boolean;
  /** But not before; ms. */
  readonly loadMsMin: number;
  /** Whether recovery after faults is demanded although no threshold says so (promise I12). */
  readonly demandsRecovery: boolean;
  /** How fast devices connect before the load begins, per second. */
  readonly connectRate: number;
  /** How long operations and deliveries may take to finish after the load has stopped. */
  readonly drainMs: number;
}
