import { Absences, lingerMs } from "./absences.ts";
import { planActions } from "./actions.ts";
import { checkDevices } from "./check-devices.ts";
import { checkLists } from "./check-lists.ts";
import { checkLogs } from "./check-log.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { createPlan, type Plan } from "./plan.ts";
import { useSmallLimits } from "./small-limits.ts";
import { conversationsOf } from "./truth.ts";
import { World } from "./world.ts";

export interface Outcome {
  readonly seed: number;
  readonly plan: Plan;
  /** Empty = every promise held. */
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Equal for two runs of one seed, or something outside of the scheduler decided. */
  readonly hash: string;
  readonly steps: number;
  readonly messages: number;
  readonly virtualMs: number;
}

export interface SimulateOptions {
  readonly mutant?: Mutant;
  readonly keepsTrace?: boolean;
}

/** Longest that anything may take to come to rest once faults have ended: a silent connection is noticed after 35 s. */
const settleMs = 140_000;
/** What goes wrong once in all quiet is mended by then: a beacon, a pause between two losses, the spread of the syncs. */
const lastMs = 15_000;
/** Back-off, and repairs of what went by; less than it takes a node to close what has fallen silent. */
const rushMs = 8_000;
const reconnectMs = 60_000;
/** Longer than any read of a store that is well. */
const checkMs = 10_000;
/** Far above what any run has needed; beyond it something spins. */
const stepsMax = 400_000;

/**
 * One run: storm, calm, checks; then every connection is cut and half of the devices crash, and what they restore and
 * sync has to be the same. The first half shows that pushes and repairs are enough, the second that nothing depends on
 * what a process remembers.
 */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Outcome> {
  const plan = createPlan(seed);
  useSmallLimits(plan);
  const world = new World(plan, options.mutant, options.keepsTrace === true);
  try {
    await run(world);
  } catch (error) {
    world.witness.blame("progress", error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  const { scheduler, witness } = world;
  return {
    seed,
    plan,
    violations: witness.violations,
    trace: witness.trace,
    hash: scheduler.hash,
    steps: scheduler.steps,
    messages: witness.sent.size,
    virtualMs: Math.round(scheduler.nowMs),
  };
}

async function run(world: World): Promise<void> {
  const { scheduler, witness } = world;
  const stormEnd = planActions(world);
  const absences = new Absences(world);
  absences.leaveInTheStorm(stormEnd);
  await scheduler.runUntil(stormEnd + 1_000, stepsMax);
  witness.note(() => "— calm —");
  world.calm();
  await scheduler.runUntil(scheduler.nowMs + lingerMs, stepsMax);
  absences.checkGone();
  absences.comeBack();
  await scheduler.runUntil(scheduler.nowMs + settleMs / 2 - lingerMs, stepsMax);
  absences.check();
  // What a user would do with messages of unknown fate.
  world.resolveUnknown();
  absences.inQuiet();
  await scheduler.runUntil(scheduler.nowMs + settleMs / 2, stepsMax);
  absences.check();
  witness.note(() => "— rush —");
  world.rush();
  await scheduler.runUntil(scheduler.nowMs + rushMs, stepsMax);
  await check(world, false);
  if (witness.violations.length > 0) return;
  // From here on everybody syncs, which would mend what pushes had missed before.
  world.forget();
  await scheduler.runUntil(scheduler.nowMs + lastMs, stepsMax);
  world.sendLast();
  await scheduler.runUntil(scheduler.nowMs + lastMs, stepsMax);
  if (world.openCalls > 0) witness.blame("progress", `${world.openCalls} calls without an answer`);
  absences.check();
  await check(world, false);
  if (witness.violations.length > 0) return;
  witness.note(() => "— everybody connects again —");
  world.reconnectAll();
  await scheduler.runUntil(scheduler.nowMs + reconnectMs, stepsMax);
  await check(world, true);
}

async function check(world: World, synced: boolean): Promise<void> {
  const conversations = conversationsOf(world);
  checkLogs(world, conversations);
  checkDevices(world, conversations, synced);
  // Reads the stores, whose answers take their time.
  const listed = checkLists(world, conversations, synced);
  await world.scheduler.runUntil(world.scheduler.nowMs + checkMs, stepsMax);
  await listed;
}
