import { didYouMean } from "../../base/did-you-mean.ts";
import { struckServers } from "../faults/struck-servers.ts";
import { faultKinds, type FaultSpec, faultText, storeNames, storeOfProcess } from "../faults/fault-kinds.ts";
import { formatSpanMs } from "../report/format.ts";
import type { Complaint } from "./issues.ts";
import type { Scenario } from "./schema.ts";

/** Whether the faults of a scenario strike what its run has, one after the other, and end under load. */
export function checkFaults(scenario: Scenario): Complaint[] {
  const { target, faults, thresholds } = scenario;
  const recovery = thresholds.findIndex(({ selector }) => selector.name === "recovery");
  const complaints: Complaint[] = [];
  if (recovery >= 0 && faults.length === 0) {
    const message = `thresholds[${recovery}]: recovery is measured after faults, and there are none`;
    complaints.push({ path: ["thresholds", recovery, "metric"], message });
  }
  const bystanders = thresholds.findIndex(({ selector }) => selector.name === "bystander_delivery_p99_ratio");
  const struck = struckServers(scenario).size;
  if (bystanders >= 0 && (struck === 0 || struck === target.servers)) {
    const message = `thresholds[${bystanders}]: bystander_delivery_p99_ratio needs a server that is struck, and one that is not`;
    complaints.push({ path: ["thresholds", bystanders, "metric"], message });
  }
  if (target.profile !== "cluster" && target.servers > 1) {
    const message = "target.servers: several servers need the stores that they share (profile: cluster)";
    complaints.push({ path: ["target", "servers"], message });
  }
  if (target.cassandra_nodes > 1 && (target.profile !== "cluster" || target.mode === "store")) {
    const message =
      target.mode === "store"
        ? "target.cassandra_nodes: a run on the stores themselves takes them as they are (msgr stack up --cassandra-nodes)"
        : "target.cassandra_nodes: nodes of Cassandra belong to profile: cluster";
    complaints.push({ path: ["target", "cassandra_nodes"], message });
  }
  if (target.mode === "store" && faults.length > 0) {
    complaints.push({ path: ["faults"], message: "faults: they need a server (target.mode: server)" });
    return complaints;
  }
  return [...complaints, ...faults.flatMap((fault, index) => checkFault(scenario, fault, index))];
}

function checkFault(scenario: Scenario, fault: FaultSpec, index: number): Complaint[] {
  const path = ["faults", index];
  const unfit = whyUnfit(scenario, fault);
  if (unfit !== undefined) {
    const message = `faults[${index}]: ${unfit}`;
    const suggestion = didYouMean(fault.which, subjectsOf(scenario, fault));
    return [{ path: [...path, "which"], message, suggestion }];
  }
  const loadMs = scenario.phases.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const endMs = fault.atMs + fault.forMs;
  if (endMs >= loadMs) {
    const message = `faults[${index}]: it ends at ${formatSpanMs(endMs)}, the load at ${formatSpanMs(loadMs)}: nothing would show the recovery`;
    return [{ path: [...path, "at"], message }];
  }
  const before = scenario.faults.slice(0, index);
  const same = before.find((other) => overlaps(other, fault));
  if (same !== undefined) {
    const message = `faults[${index}]: at the same time as ${faultText(same)} (at ${formatSpanMs(same.atMs)}), to the same`;
    return [{ path: [...path, "at"], message }];
  }
  const beside = before.find((other) => isCutShort(other, fault));
  if (beside === undefined) return [];
  const message = `faults[${index}]: beside ${faultText(beside)} (at ${formatSpanMs(beside.atMs)}), and not over with it: a killed node comes back with all the others`;
  return [{ path: [...path, "for"], message }];
}

function overlaps(one: FaultSpec, other: FaultSpec): boolean {
  const isSame = one.which === other.which && faultKinds[one.do].to === faultKinds[other.do].to;
  return isSame && one.atMs <= other.atMs + other.forMs && other.atMs <= one.atMs + one.forMs;
}

/** What brings a killed node back (`msgr stack up`) starts the others that are away and waits for those that stand still. */
function isCutShort(one: FaultSpec, other: FaultSpec): boolean {
  const [store, otherStore] = [storeOfProcess(one.which), storeOfProcess(other.which)];
  const ofOneStore = store !== undefined && store === otherStore && one.which !== other.which;
  const kills = one.do === "store.kill" || other.do === "store.kill";
  const [endMs, otherEndMs] = [one.atMs + one.forMs, other.atMs + other.forMs];
  // The one that begins when another ends waits for it.
  const isBeside = one.atMs < otherEndMs && other.atMs < endMs;
  return ofOneStore && kills && isBeside && endMs !== otherEndMs;
}

function whyUnfit(scenario: Scenario, fault: FaultSpec): string | undefined {
  const { which } = fault;
  const { to } = faultKinds[fault.do];
  const { profile, cassandra_nodes: nodes } = scenario.target;
  const isStore = storeOfProcess(which) !== undefined;
  if (profile === "embedded" && (to === "store" || isStore)) return `${fault.do} ${which} needs profile: cluster`;
  if (fault.do === "store.flush" && which !== "redis") return "store.flush empties redis only";
  if (to === "link" && which === "kafka") return "its brokers tell their own addresses: no proxy stays in between";
  if (to === "link" && nodes > 1 && storeOfProcess(which) === "cassandra") {
    return `of ${nodes} nodes each tells the others' addresses: no proxy stays in between (cassandra_nodes: 1)`;
  }
  const subjects = subjectsOf(scenario, fault);
  return subjects.includes(which) ? undefined : `${fault.do} cannot strike "${which}" (${subjects.join(", ")})`;
}

/** Whom it can strike. */
function subjectsOf({ target }: Scenario, fault: FaultSpec): readonly string[] {
  const servers = Array.from({ length: target.servers }, (_, index) => `server-${index + 1}`);
  const stores = target.profile === "cluster" ? storeNames : [];
  const moreNodes = Array.from({ length: target.cassandra_nodes - 1 }, (_, index) => `cassandra-${index + 2}`);
  const withoutProxy: readonly string[] = moreNodes.length === 0 ? ["kafka"] : ["kafka", "cassandra"];
  switch (faultKinds[fault.do].to) {
    case "server":
      return servers;
    case "store":
      return [...stores, ...moreNodes];
    case "link":
      return ["clients", ...servers, ...stores.filter((store) => !withoutProxy.includes(store))];
  }
}
