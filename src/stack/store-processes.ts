import { isRunning } from "./processes/recorded-process.ts";
import type { StackFile, StackProcess } from "./stack-file.ts";
import { type StoreName, storeOf } from "./versions.ts";

export function processesOf(file: StackFile, store: StoreName): readonly StackProcess[] {
  return file.processes.filter(({ name }) => storeOf(name) === store);
}

/** Whether every process that the store should have runs. */
export function runsWholly(file: StackFile, store: StoreName, cassandraNodes: number): boolean {
  const processes = processesOf(file, store);
  return processes.length === (store === "cassandra" ? cassandraNodes : 1) && processes.every(isRunning);
}
