import type { Target } from "../driver/target.ts";
import type { FaultActions } from "./fault-runner.ts";
import { type FaultSpec, type StoreName } from "./fault-kinds.ts";
import type { PrivateStack } from "./private-stack.ts";
import type { TcpProxy } from "./tcp-proxy.ts";

/** What the faults of a run strike: its servers, its stores and the proxies between all of them. */
export interface FaultSubjects {
  readonly target: Target;
  readonly stack: PrivateStack | undefined;
  readonly storeLinks: ReadonlyMap<StoreName, TcpProxy>;
  /** A server has another process now. */
  readonly serverChanged: () => void;
}

/** Parts that the plan has made sure of are there. */
export function createFaultActions(subjects: FaultSubjects): FaultActions {
  return {
    begin: (fault) => begin(fault, subjects),
    end: (fault) => end(fault, subjects),
  };
}

async function begin(fault: FaultSpec, subjects: FaultSubjects): Promise<void> {
  const { which } = fault;
  switch (fault.do) {
    case "server.kill":
      return await serverOf(subjects, which).kill();
    case "server.pause":
      return serverOf(subjects, which).pause();
    case "store.kill":
      return await stackOf(subjects).kill(which);
    case "store.pause":
      return stackOf(subjects).pause(which);
    case "store.flush":
      return await stackOf(subjects).flush();
    case "proxy.latency":
    case "proxy.throttle":
    case "proxy.cut":
    case "proxy.half_open":
    case "proxy.reset":
      for (const link of linksOf(subjects, which)) disturb(link, fault);
  }
}

async function end(fault: FaultSpec, subjects: FaultSubjects): Promise<void> {
  const { which } = fault;
  switch (fault.do) {
    case "server.kill":
      await serverOf(subjects, which).start();
      subjects.serverChanged();
      return;
    case "server.pause":
      return serverOf(subjects, which).resume();
    case "store.kill":
      return await stackOf(subjects).restart(which);
    case "store.pause":
      return stackOf(subjects).resume(which);
    case "store.flush":
    case "proxy.reset":
      return;
    case "proxy.latency":
    case "proxy.throttle":
    case "proxy.cut":
    case "proxy.half_open":
      for (const link of linksOf(subjects, which)) mend(link, fault);
  }
}

function disturb(link: TcpProxy, fault: FaultSpec): void {
  if (fault.do === "proxy.latency") link.delay(fault.latencyMs, fault.jitterMs);
  if (fault.do === "proxy.throttle") link.throttle(fault.bytesPerSecond);
  if (fault.do === "proxy.cut") link.refuse(true);
  if (fault.do === "proxy.cut" || fault.do === "proxy.reset") link.cut();
  if (fault.do === "proxy.half_open") link.halfOpen(true);
}

function mend(link: TcpProxy, fault: FaultSpec): void {
  if (fault.do === "proxy.latency") link.delay(0);
  if (fault.do === "proxy.throttle") link.throttle(Number.POSITIVE_INFINITY);
  if (fault.do === "proxy.cut") link.refuse(false);
  if (fault.do === "proxy.half_open") link.halfOpen(false);
}

function serverOf({ target }: FaultSubjects, which: string) {
  const found = target.servers.find(({ name }) => name === which);
  if (found === undefined) throw new Error(`no server ${which}`);
  return found;
}

function stackOf({ stack }: FaultSubjects): PrivateStack {
  if (stack === undefined) throw new Error("this run has no stores of its own");
  return stack;
}

function linksOf({ target, storeLinks }: FaultSubjects, which: string): readonly TcpProxy[] {
  if (which === "clients") return target.fronts;
  const link = storeLinks.get(which as StoreName) ?? target.servers.find(({ name }) => name === which)?.front;
  if (link === undefined) throw new Error(`no link to ${which}`);
  return [link];
}
