import { describe, expect, test } from "vitest";
import { loadScenario } from "./load.ts";
import { selectOperation } from "./select-operation.ts";
import type { Scenario } from "./schema.ts";

const yaml = `version: 1
name: ceilings
description: two operations, one after the other
target: {mode: store}
population: {users: 10, history: 5}
load:
  append: {do: store.append, executor: closed, in_flight: 2, during: [a1, a2]}
  append-bare: {do: store.append, client: bare, executor: closed, in_flight: 2, during: a2}
  page: {do: store.page, executor: closed, in_flight: 2, during: p1}
phases: [{name: a1, duration: 1s}, {name: a2, duration: 1s}, {name: p1, duration: 1s}]
thresholds:
  - {metric: "rate_ratio{workload:append,against:append-bare}", min: 90%}
  - {metric: "rate{workload:page}", min: 1/s}
  - {metric: "rate{phase:p1}", min: 1/s}
  - {metric: error_rate, max: 0}
`;
const loaded = loadScenario("s.yaml", () => yaml);
if (!loaded.ok) throw new Error("scenario");
const { scenario } = loaded;

function selected(name: string): Scenario {
  const part = selectOperation(scenario, name);
  if (typeof part === "string") throw new Error(part);
  return part;
}

describe("one operation of a scenario", () => {
  test("keeps its workloads, its phases and what is demanded of them", () => {
    const part = selected("append");
    expect(part.workloads.map(({ name }) => name)).toEqual(["append", "append-bare"]);
    expect(part.phases.map(({ name }) => name)).toEqual(["a1", "a2"]);
    expect(part.thresholds.map(({ selector }) => selector.name)).toEqual(["rate_ratio", "error_rate"]);
  });

  test("is named with its prefix as well", () => {
    expect(selected("store.page")).toEqual(selected("page"));
    expect(selected("page").thresholds.map(({ selector }) => selector)).toEqual([
      { name: "rate", workload: "page" },
      { name: "rate", phase: "p1" },
      { name: "error_rate" },
    ]);
  });

  test("that the scenario does not do is refused with what it does", () => {
    expect(selectOperation(scenario, "apend")).toBe(
      "no workload of ceilings does apend (append, page); did you mean append?",
    );
  });
});
