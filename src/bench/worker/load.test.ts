import { expect, test } from "vitest";
import { Population } from "../data/population.ts";
import { loadScenario } from "../scenario/load.ts";
import { RunStats } from "../stats/run-stats.ts";
import { Timeline } from "../stats/timeline.ts";
import { Load } from "./load.ts";

test("what found no room in flight is counted, also when the load was over before the worker came to it", () => {
  const text = `version: 1
name: full
description: More than fits.
population: { users: 4, contacts: 2 }
load: { direct: { do: message.send, executor: constant-arrival-rate, rate: 10/s } }
phases: [{ name: steady, duration: 2s }]
limits: { in_flight: 1 }
`;
  const loaded = loadScenario("full.yaml", () => text);
  if (!loaded.ok) throw new Error("no scenario");
  const { scenario } = loaded;
  const stats = new RunStats(scenario.workloads, new Timeline(scenario.phases));
  let nowMs = 0;
  const load = new Load({
    scenario,
    population: new Population({ ...scenario.population, seed: scenario.seed }),
    share: { index: 0, count: 1 },
    stats,
    createRunner: () => ({ begin: () => true }),
    groupsOf: () => [],
    nowMs: () => nowMs,
    startsPerPollMax: 256,
  });
  load.poll();
  nowMs = 2_500;
  load.poll();
  const counters = stats.recordedCells("direct")[0]?.counters;
  expect([counters?.get("asked"), counters?.get("started"), counters?.get("capped")]).toEqual([20, 1, 19]);
});
