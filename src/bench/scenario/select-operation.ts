import { didYouMean } from "../../base/did-you-mean.ts";
import type { Scenario } from "./schema.ts";

/**
 * The part of a scenario that does one operation (`append` or `store.append`): its workloads, the phases in which they
 * run, and what is demanded of them. Answers the reason when the scenario has no such workload.
 */
export function selectOperation(scenario: Scenario, name: string): Scenario | string {
  const isMeant = (does: string): boolean => does === name || does.endsWith(`.${name}`);
  const workloads = scenario.workloads.filter((workload) => isMeant(workload.do));
  if (workloads.length === 0) {
    const known = [...new Set(scenario.workloads.map((workload) => workload.do.replace(/^store\./, "")))];
    const guess = didYouMean(name, known);
    const hint = guess === undefined ? "" : `; did you mean ${guess}?`;
    return `no workload of ${scenario.name} does ${name} (${known.join(", ")})${hint}`;
  }
  const isKept = (workload: string | undefined): boolean =>
    workload === undefined || workloads.some((kept) => kept.name === workload);
  const isEmpty = (phase: string | undefined): boolean =>
    phase !== undefined && workloads.every(({ during }) => during?.includes(phase) === false);
  return {
    ...scenario,
    workloads,
    phases: scenario.phases.filter((phase) => !isEmpty(phase.name)),
    thresholds: scenario.thresholds.filter(
      ({ selector }) => isKept(selector.workload) && isKept(selector.against) && !isEmpty(selector.phase),
    ),
  };
}
