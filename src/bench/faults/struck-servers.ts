import type { Scenario } from "../scenario/schema.ts";

/** Numbers of the run's servers, from 0, that some fault strikes: the process, or the way of its clients to it. */
export function struckServers({ faults, target }: Pick<Scenario, "faults" | "target">): ReadonlySet<number> {
  const all = Array.from({ length: target.servers }, (_, server) => server);
  return new Set(all.filter((server) => faults.some(({ which }) => strikes(which, server))));
}

/** Whether what a fault strikes is a server, or the way of clients to one. */
export function strikesServer(which: string): boolean {
  return which === "clients" || which.startsWith("server-");
}

function strikes(which: string, server: number): boolean {
  return which === "clients" || which === `server-${server + 1}`;
}
