import { didYouMean } from "../../base/did-you-mean.ts";
import { problemsOfPopulation } from "../data/population.ts";
import type { Complaint } from "./issues.ts";
import type { Scenario, Workload } from "./schema.ts";

/** What no single field can know: the parts of a scenario must fit each other. */
export function checkScenario(scenario: Scenario): Complaint[] {
  return [
    ...problemsOfPopulation({ ...scenario.population, seed: scenario.seed }).map((message) => ({
      path: ["population"],
      message: `population: ${message}`,
    })),
    ...(scenario.workloads.length === 0 ? [{ path: ["load"], message: "load: no workload" }] : []),
    ...scenario.workloads.flatMap((workload) => checkWorkload(scenario, workload)),
    ...scenario.thresholds.flatMap((_, index) => checkThreshold(scenario, index)),
  ];
}

function checkWorkload(scenario: Scenario, workload: Workload): Complaint[] {
  const { population } = scenario;
  const path = ["load", workload.name];
  const needsContacts =
    workload.do === "message.send" || (workload.do === "history.page" && workload.options.in === "direct");
  if (needsContacts && population.contacts === 0) {
    return [
      { path, message: `load.${workload.name}: ${workload.do} needs direct conversations; set population.contacts` },
    ];
  }
  if (workload.do === "receipts" && population.contacts === 0 && population.groups.length === 0) {
    return [
      {
        path,
        message: `load.${workload.name}: receipts need conversations; set population.contacts or population.groups`,
      },
    ];
  }
  if (workload.do === "history.page" && workload.options.in === "group" && population.groups.length === 0) {
    return [{ path, message: `load.${workload.name}: history.page in groups needs population.groups` }];
  }
  if (workload.do === "group.send") {
    const sizes = population.groups.map((group) => group.members);
    if (!sizes.includes(workload.options.members)) {
      const have = sizes.length === 0 ? "there are no groups" : `there are groups of ${sizes.join(", ")}`;
      const message = `load.${workload.name}: no group has ${workload.options.members} members; ${have} in population.groups`;
      return [{ path: [...path, "members"], message }];
    }
  }
  return [];
}

function checkThreshold(scenario: Scenario, index: number): Complaint[] {
  const { workload, phase } = scenario.thresholds[index]?.selector ?? {};
  const path = ["thresholds", index, "metric"];
  const complaints: Complaint[] = [];
  const workloads = scenario.workloads.map(({ name }) => name);
  const phases = scenario.phases.filter(({ record }) => record).map(({ name }) => name);
  if (workload !== undefined && !workloads.includes(workload)) {
    const message = `no workload "${workload}" (${workloads.join(", ")})`;
    complaints.push({ path, message, suggestion: didYouMean(workload, workloads) });
  }
  if (phase !== undefined && !phases.includes(phase)) {
    const message = `no recorded phase "${phase}" (${phases.join(", ")})`;
    complaints.push({ path, message, suggestion: didYouMean(phase, phases) });
  }
  return complaints;
}
