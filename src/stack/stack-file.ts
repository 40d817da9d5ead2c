import { readFileSync } from "node:fs";
import path from "node:path";
import { type PartName, partOf } from "./versions.ts";

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
  /** host:port where it is asked whether it is well; absent = its address. */
  readonly health?: string;
  readonly log: string;
}

/**
 * What `msgr stack up` leaves in its folder (mode 0600: it holds the secrets it made up), for `serve`, `migrate`,
 * `doctor`, `bench` and the next `stack` command. A process is in it before it does anything; the settings of its store
 * come once the store is ready and go when its last process is stopped.
 */
export interface StackFile {
  readonly version: 1;
  readonly processes: readonly StackProcess[];
  /** Path of a setting → value: what a configuration has to say to use this stack. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Ports of earlier starts, to have them again where they are free. */
  readonly ports?: Readonly<Record<string, number>>;
}

export const stackFileName = "stack.json";

export const emptyStackFile: StackFile = { version: 1, processes: [], settings: {}, ports: {} };

/** undefined = no stack was ever started there, or what is there is not a stack file. */
export function readStackFile(directory: string): StackFile | undefined {
  try {
    const file = JSON.parse(readFileSync(path.join(directory, stackFileName), "utf8")) as StackFile;
    return file.version === 1 && typeof file.settings === "object" && Array.isArray(file.processes) ? file : undefined;
  } catch {
    return undefined;
  }
}

/** With that process, in place of an earlier one of the same name. */
export function withProcess(file: StackFile, process: StackProcess): StackFile {
  return { ...file, processes: [...file.processes.filter(({ name }) => name !== process.name), process] };
}

/** Without processes of that name; with the last one of a part its settings go, since others are still there to be asked. */
export function withoutProcess(file: StackFile, name: string): StackFile {
  const part = partOf(name);
  const processes = file.processes.filter((process) => process.name !== name);
  if (processes.some((process) => partOf(process.name) === part)) return { ...file, processes };
  const kept = Object.entries(file.settings).filter(([setting]) => ownerOf(setting) !== part);
  return { ...file, processes, settings: Object.fromEntries(kept) };
}

/** Whose setting it is. Media is read through nginx. */
function ownerOf(setting: string): PartName | undefined {
  const [section = ""] = setting.split(".");
  return section === "media" ? "nginx" : partOf(section);
}
