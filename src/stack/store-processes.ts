import { isRunning } from "./processes/recorded-process.ts";
import type { StackFile, StackProcess } from "./stack-file.ts";
import { type PartName, partOf } from "./versions.ts";

export function processesOf(file: StackFile, part: PartName): readonly StackProcess[] {
  return file.processes.filter(({ name }) => partOf(name) === part);
}

export interface StackSizes {
  readonly cassandraNodes: number;
  readonly serverCount: number;
}

/** How many processes the part should have. */
export function processCount(part: PartName, { cassandraNodes, serverCount }: StackSizes): number {
  if (part === "cassandra") return cassandraNodes;
  return part === "server" ? serverCount : 1;
}

/** Whether every process that the part should have runs, and no more. */
export function runsWholly(file: StackFile, part: PartName, sizes: StackSizes): boolean {
  const processes = processesOf(file, part);
  return processes.length === processCount(part, sizes) && processes.every(isRunning);
}
