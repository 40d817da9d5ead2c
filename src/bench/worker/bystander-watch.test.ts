import { expect, test } from "vitest";
import { Population } from "../data/population.ts";
import { formatProblems, loadScenario } from "../scenario/load.ts";
import { Bystanders } from "../stats/bystanders.ts";
import { createBystanderWatch } from "./bystander-watch.ts";
import type { ServerWorkerSetup } from "./messages.ts";

const yaml = (faults: string): string => `version: 1
name: s
description: d
target: { profile: cluster, servers: 2 }
population: { users: 12, devices: 1, contacts: 4 }
load: { direct: { do: message.send, executor: constant-arrival-rate, rate: 1/s } }
faults: [${faults}]
phases: [{ name: steady, duration: 60s }]
`;

/** Of all pairs of devices, the first of worker 0 of 2, those that are kept: `sender→recipient`, by user. */
function kept(faults: string): string[] | undefined {
  const loaded = loadScenario("s.yaml", () => yaml(faults));
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  const { scenario } = loaded;
  const share = { index: 0, count: 2 };
  const setup = { scenario, share, urls: ["one", "two"] } as unknown as ServerWorkerSetup;
  const found: string[] = [];
  const bystanders = new Bystanders();
  const note = createBystanderWatch(setup, new Population({ ...scenario.population, seed: 1 }), bystanders);
  if (note === undefined) return undefined;
  for (let sender = 0; sender < 12; sender++) {
    for (let slot = 0; slot < 6; slot++) {
      const before = bystanders.serialise().times.length;
      note(sender, slot, 0, 1);
      if (bystanders.serialise().times.length > before) found.push(`${sender}→${slot * 2}`);
    }
  }
  return found;
}

test("only what goes between two devices of servers that are not struck counts", () => {
  // Users 0, 2, 4 … are in slots 0, 1, 2 … of worker 0, users 1, 3, 5 … in those of worker 1; even slots begin at server-1.
  const atServer1 = [0, 1, 4, 5, 8, 9];
  const pairs = atServer1.flatMap((sender) => [0, 4, 8].map((recipient) => `${sender}→${recipient}`));
  expect(kept("{ at: 9s, do: server.kill, which: server-2, for: 1s }")?.sort()).toEqual(pairs.sort());
  expect(kept("{ at: 9s, do: proxy.cut, which: server-2, for: 1s }")).toHaveLength(18);
});

test("nothing is kept where all are struck, or none", () => {
  expect(kept("{ at: 9s, do: proxy.reset, which: clients }")).toBeUndefined();
  expect(kept("{ at: 9s, do: store.pause, which: redis, for: 1s }")).toBeUndefined();
});
