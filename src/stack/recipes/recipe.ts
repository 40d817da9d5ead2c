import type { JarStore } from "../jars/pom.ts";
import type { Prerequisites } from "../prerequisites/find-prerequisites.ts";
import type { Address } from "../probes/exchange.ts";
import type { Probe } from "../probes/probes.ts";
import type { LaunchPlan } from "../processes/launch.ts";
import type { StackSecrets } from "../stack-secrets.ts";
import type { StackFile } from "../stack-file.ts";
import type { PartName } from "../versions.ts";

/** A port that a part needs, on every one of its hosts. Its name is the part's, with what it is for behind it. */
export interface PortNeed {
  readonly name: string;
  readonly preferred: number;
  /** The process that has it; absent = every process of the part, on its own host. */
  readonly process?: string;
  readonly hosts: readonly string[];
}

/** How `msgr` itself is run. */
export interface ServerProgram {
  readonly command: string;
  /** Before the words of the command line. */
  readonly arguments: readonly string[];
  readonly version: string;
}

/** What recipes know of the run they are part of. */
export interface RecipeContext {
  /** The stack's folder, absolute. Each process has a folder of its own in it. */
  readonly directory: string;
  /** By name of the need. */
  readonly ports: ReadonlyMap<string, number>;
  readonly secrets: StackSecrets;
  readonly tools: Prerequisites;
  /** Folders of jars, of the stores that were asked for. */
  readonly jars: ReadonlyMap<JarStore, string>;
  readonly cassandraNodes: number;
  readonly serverCount: number;
  readonly serverProgram: ServerProgram;
  /** Servers behind nginx, host:port. */
  readonly servers: readonly string[];
  /** Of the parts that are up. */
  readonly settings: StackFile["settings"];
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** As much of it as the settings of a store that runs follow from. */
export type SettingsContext = Pick<RecipeContext, "ports" | "secrets" | "cassandraNodes" | "settings">;

export interface PlannedProcess {
  readonly name: string;
  readonly version: string;
  readonly address: Address;
  /** Where it is asked whether it is well; absent = at its address. */
  readonly health?: Address;
  readonly launch: Omit<LaunchPlan, "log">;
}

/** How one part is started: everything about it that is not the same for all of them. */
export interface Recipe {
  readonly part: PartName;
  /** What it asks to finish. */
  readonly stopSignal: "SIGTERM" | "SIGINT";
  readonly probe: Probe;
  /** How long a process may take from its start until it answers. Several times what was seen on two cores. */
  readonly readyWithinMs: number;
  /** `processes`: how many there will be. */
  ports(processes: number): readonly PortNeed[];
  /** Makes folders, configuration and what must be there before the first start. Answers the processes in starting order. */
  prepare(context: RecipeContext, onProgress: (text: string) => void): Promise<readonly PlannedProcess[]>;
  /** Path of a setting of the configuration → value, for those who use it. */
  settings(context: SettingsContext): Readonly<Record<string, string | number>>;
}

export const loopback = "127.0.0.1";

/** Programs get what they need to find their parts, and none of the secrets that an environment may hold. */
export function baseEnvironment(variables: RecipeContext["variables"]): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "TZ", "TMPDIR", "JAVA_HOME"];
  const pairs = names.map((name) => [name, variables[name]] as const);
  return Object.fromEntries(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

export function portOf({ ports }: Pick<RecipeContext, "ports">, name: string): number {
  const port = ports.get(name);
  if (port === undefined) throw new Error(`No port was chosen for ${name}.`);
  return port;
}
