import { expect } from "vitest";
import { simulate } from "./simulate.ts";

/** Runs seeds [from, to] and shows the first that breaks a promise, with the line that replays it. */
export async function expectSeeds(from: number, to: number): Promise<void> {
  for (let seed = from; seed <= to; seed++) {
    const { violations } = await simulate(seed);
    if (violations.length === 0) continue;
    const { trace, plan } = await simulate(seed, { keepsTrace: true });
    const story = trace.slice(-40).map((line) => line.slice(0, 200));
    const replay = `node test/sim/run.ts --seed ${seed} --lines 2000`;
    const tight = plan.tight === undefined ? [] : [`tight: ${JSON.stringify(plan.tight)}`];
    expect.fail([...story, ...tight, ...violations.slice(0, 5), replay].join("\n"));
  }
}
