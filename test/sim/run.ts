import { parseArgs } from "node:util";
import { mutants } from "./mutants/all.ts";
import { createPlan } from "./plan.ts";
import { simulate, type Outcome } from "./simulate.ts";

/**
 * Runs seeds from the command line, and replays one:
 *
 *   node test/sim/run.ts --seeds 1000 --from 1        many seeds; names each that fails
 *   node test/sim/run.ts --seed 17 [--lines 200]      one seed, with the end of its trace when it fails
 *   node test/sim/run.ts --seed 17 --find u2.1        … only lines that contain a text
 *   node test/sim/run.ts --mutant NAME --seeds 50     with a planted mistake
 *   node test/sim/run.ts --tight --seeds 1000         only those with rate limits and slow appends
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    lines: { type: "string", default: "60" },
    find: { type: "string" },
    mutant: { type: "string" },
    tight: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
  },
});

const mutant = values.mutant === undefined ? undefined : mutants.find((each) => each.name === values.mutant);
if (values.mutant !== undefined && mutant === undefined) {
  throw new Error(`no such mutant; there are: ${mutants.map((each) => each.name).join(", ")}`);
}
const options = mutant === undefined ? {} : { mutant };

if (values.seed === undefined) await runMany(Number(values.from), Number(values.seeds));
else await replay(Number(values.seed));

async function runMany(from: number, seeds: number): Promise<void> {
  const started = performance.now();
  let failed = 0;
  let steps = 0;
  let tight = 0;
  let run = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const plan = createPlan(seed);
    if ((values.tight && plan.tight === undefined) || mutant?.shows?.(plan) === false) continue;
    run++;
    if (plan.tight !== undefined) tight++;
    const outcome = await simulate(seed, options);
    steps += outcome.steps;
    if (outcome.violations.length === 0) continue;
    failed++;
    console.log(
      `seed ${seed}${plan.tight === undefined ? "" : ", tight"}: ${outcome.violations.slice(0, 3).join("\n          ")}`,
    );
  }
  const seconds = (performance.now() - started) / 1_000;
  console.log(`${run} seeds, ${tight} of them tight, ${failed} failed, ${steps} steps, ${seconds.toFixed(1)} s`);
  if (failed > 0) process.exitCode = 1;
}

async function replay(seed: number): Promise<void> {
  const first = await simulate(seed, { ...options, keepsTrace: true });
  const again = await simulate(seed, options);
  const { find } = values;
  const lines = find === undefined ? first.trace : first.trace.filter((line) => line.includes(find));
  if (first.violations.length > 0 || values.all) console.log(lines.slice(-Number(values.lines)).join("\n"));
  console.log(describe(first));
  if (first.hash !== again.hash) console.log(`NOT DETERMINISTIC: ${first.hash}, then ${again.hash}`);
  if (first.violations.length > 0 || first.hash !== again.hash) process.exitCode = 1;
}

function describe({ seed, plan, violations, hash, steps, messages, virtualMs }: Outcome): string {
  const head = `seed ${seed}: ${messages} messages, ${steps} steps, ${virtualMs} virtual ms, hash ${hash}`;
  return [head, JSON.stringify(plan), ...violations].join("\n");
}
