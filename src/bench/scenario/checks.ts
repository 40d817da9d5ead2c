import { didYouMean } from "../../base/did-you-mean.ts";
import { problemsOfPopulation } from "../data/population.ts";
import { checkFaults } from "./check-faults.ts";
import type { Complaint } from "./issues.ts";
import { operations } from "./operations.ts";
import { presenceShareOf } from "./presence-share.ts";
import type { Scenario, Workload } from "./schema.ts";

/** What no single field can know: the parts of a scenario must fit each other. */
export function checkScenario(scenario: Scenario): Complaint[] {
  return [
    ...problemsOfPopulation({ ...scenario.population, seed: scenario.seed }).map((message) => ({
      path: ["population"],
      message: `population: ${message}`,
    })),
    ...(scenario.workloads.length === 0 ? [{ path: ["load"], message: "load: no workload" }] : []),
    ...checkStorePopulation(scenario),
    ...scenario.workloads.flatMap((workload) => [
      ...checkTarget(scenario, workload),
      ...checkDuring(scenario, workload),
      ...checkWorkload(scenario, workload),
    ]),
    ...scenario.thresholds.flatMap((_, index) => checkThreshold(scenario, index)),
    ...checkFaults(scenario),
  ];
}

/** A user of a store scenario is a conversation, or one who beats: there are no devices and nobody knows anybody. */
function checkStorePopulation({ target, population }: Scenario): Complaint[] {
  if (target.mode !== "store") return [];
  const { devices, contacts, groups } = population;
  if (devices === 1 && contacts === 0 && groups.length === 0) return [];
  const message = "population: a scenario on the stores has users and history only (target.mode: store)";
  return [{ path: ["population"], message }];
}

function checkTarget({ target, population }: Scenario, workload: Workload): Complaint[] {
  const path = ["load", workload.name];
  const { targets } = operations[workload.do];
  if (!targets.includes(target.mode)) {
    const message = `load.${workload.name}: ${workload.do} needs target.mode: ${targets.join(" or ")}`;
    return [{ path: [...path, "do"], message }];
  }
  if (workload.do === "store.page" && population.history === 0) {
    return [{ path, message: `load.${workload.name}: store.page needs rows to read; set population.history` }];
  }
  if (workload.do !== "presence.heartbeat") return [];
  if (target.mode === "store") {
    const { client = "adapter", mode = "literal" } = workload.options;
    if (client === "adapter" || mode === "literal") return [];
    const message = `load.${workload.name}: mode: lease is our adapter's; ${client} sends what literal presence sends`;
    return [{ path: [...path, "mode"], message }];
  }
  return Object.entries(workload.options).flatMap(([key, value]) => {
    const message = `load.${workload.name}.${key}: for target.mode: store; a server is spoken to over its sockets`;
    return value === undefined ? [] : [{ path: [...path, key], message }];
  });
}

function checkDuring(scenario: Scenario, { name, during }: Workload): Complaint[] {
  if (during === undefined) return [];
  const path = ["load", name, "during"];
  const phases = scenario.phases.map((phase) => phase.name);
  const unknown = during.find((phase) => !phases.includes(phase));
  if (unknown !== undefined) {
    const message = `load.${name}.during: no phase "${unknown}" under load (${phases.join(", ")})`;
    return [{ path, message, suggestion: didYouMean(unknown, phases) }];
  }
  const isRecorded = scenario.phases.some((phase) => phase.record && during.includes(phase.name));
  return isRecorded ? [] : [{ path, message: `load.${name}.during: none of these phases is recorded` }];
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
  const { name: metric, workload, against, phase } = scenario.thresholds[index]?.selector ?? {};
  const path = ["thresholds", index, "metric"];
  const complaints: Complaint[] = [];
  const workloads = scenario.workloads.map(({ name }) => name);
  const phases = scenario.phases.filter(({ record }) => record).map(({ name }) => name);
  if (metric?.startsWith("presence_") === true && presenceShareOf(scenario) === 0) {
    const message = `thresholds[${index}]: ${metric} is measured where presence is checked (verify: {presence: 1%}, target.mode: server)`;
    complaints.push({ path, message });
  }
  for (const name of [workload, against]) {
    if (name === undefined || workloads.includes(name)) continue;
    const message = `no workload "${name}" (${workloads.join(", ")})`;
    complaints.push({ path, message, suggestion: didYouMean(name, workloads) });
  }
  if (phase !== undefined && !phases.includes(phase)) {
    const message = `no recorded phase "${phase}" (${phases.join(", ")})`;
    complaints.push({ path, message, suggestion: didYouMean(phase, phases) });
  }
  return complaints;
}
