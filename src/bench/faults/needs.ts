import type { Scenario } from "../scenario/schema.ts";
import { faultKinds, storeNames, storeOfProcess, type StoreName } from "./fault-kinds.ts";

/** What the faults of a scenario ask of the run around them. */

/** Stores are killed, paused and emptied only where nobody else uses them; how many nodes Cassandra has is the run's say. */
export function needsPrivateStack({ faults, target }: Pick<Scenario, "faults" | "target">): boolean {
  return target.cassandra_nodes > 1 || faults.some((fault) => faultKinds[fault.do].to === "store");
}

/** Stores that a server does not start without, and those that are struck. */
export function privateStores({ faults }: Pick<Scenario, "faults">): readonly StoreName[] {
  const struck = new Set(faults.map(({ which }) => storeOfProcess(which)));
  return storeNames.filter((store) => store !== "kafka" || struck.has(store));
}

/** Stores before which a proxy has to stand. */
export function linkedStores({ faults }: Pick<Scenario, "faults">): readonly StoreName[] {
  const links = faults.filter((fault) => faultKinds[fault.do].to === "link");
  return storeNames.filter((store) => links.some(({ which }) => which === store));
}

/** Clients reach the servers through proxies: a server that comes back has the address that it had. */
export function needsFronts({ faults }: Pick<Scenario, "faults">): boolean {
  return faults.some(
    (fault) =>
      faultKinds[fault.do].to === "server" ||
      (faultKinds[fault.do].to === "link" && storeOfProcess(fault.which) === undefined),
  );
}

/** Of a server that somebody else runs, only the way to it can be struck. */
export function fitsGivenServer(scenario: Pick<Scenario, "faults" | "target">): boolean {
  const onlyClients = scenario.faults.every(
    ({ do: kind, which }) => faultKinds[kind].to === "link" && which === "clients",
  );
  return onlyClients && !needsPrivateStack(scenario);
}
