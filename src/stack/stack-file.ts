import { readFileSync } from "node:fs";
import path from "node:path";

/** A process of the stack. */
export interface StackProcess {
  /** `cassandra`, `cassandra-2`, `postgres`, … */
  readonly name: string;
  readonly pid: number;
  /** What tells this process from a later one with the same pid. */
  readonly startedAt: string;
  readonly version: string;
  /** host:port of what it serves. */
  readonly address: string;
  readonly log: string;
}

/**
 * What `msgr stack up` leaves in its folder (mode 0600: it holds the secrets it made up), for `serve`, `migrate`,
 * `doctor`, `bench` and the next `stack` command.
 */
export interface StackFile {
  readonly version: 1;
  readonly processes: readonly StackProcess[];
  /** Path of a setting → value: what a configuration has to say to use this stack. */
  readonly settings: Readonly<Record<string, string | number>>;
}

export const stackFileName = "stack.json";

/** undefined = no stack was ever started there, or what is there is not a stack file. */
export function readStackFile(directory: string): StackFile | undefined {
  try {
    const file = JSON.parse(readFileSync(path.join(directory, stackFileName), "utf8")) as StackFile;
    return file.version === 1 && typeof file.settings === "object" && Array.isArray(file.processes) ? file : undefined;
  } catch {
    return undefined;
  }
}
