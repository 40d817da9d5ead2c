import { isRunning } from "./processes/recorded-process.ts";
import { type ProcessUsage, usageOf } from "./processes/process-usage.ts";
import { parseAddress } from "./probes/exchange.ts";
import { recipes } from "./recipes/recipes.ts";
import { readStackFile, type StackProcess } from "./stack-file.ts";
import { partOf } from "./versions.ts";

/** `stopped`: it should run and does not; `silent`: it runs and does not answer. */
export type ProcessHealth = "healthy" | "silent" | "stopped";

export interface ProcessStatus extends StackProcess {
  readonly health: ProcessHealth;
  readonly usage: ProcessUsage | undefined;
}

const probeWithinMs = 3_000;

/** Every process that should run, as it is now. */
export async function stackStatus(directory: string): Promise<readonly ProcessStatus[]> {
  const processes = readStackFile(directory)?.processes ?? [];
  return await Promise.all(
    processes.map(async (process) => {
      const running = isRunning(process);
      const health = running ? await healthOf(process) : "stopped";
      return { ...process, health, usage: running ? usageOf(process.pid) : undefined };
    }),
  );
}

async function healthOf({ name, address, health = address }: StackProcess): Promise<ProcessHealth> {
  const part = partOf(name);
  if (part === undefined) return "silent";
  return (await recipes[part].probe(parseAddress(health), probeWithinMs)) ? "healthy" : "silent";
}
