import type { ServerProgram } from "./recipes/recipe.ts";
import type { PartName } from "./versions.ts";
import type { StackState } from "./stack-state.ts";
import type { StackProcess } from "./stack-file.ts";

/** Who hears how it goes. */
export interface StackReporter {
  /** What is not about one part. */
  note(text: string): void;
  progress(part: PartName, text: string): void;
  ready(part: PartName, how: "started" | "adopted", addresses: readonly string[]): void;
  failed(part: PartName): void;
}

/** What a command that works on a stack has from its surroundings. */
export interface StackTools {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Folder of msgr in the user's cache. */
  readonly cache: string;
  readonly signal: AbortSignal;
  readonly reporter: StackReporter;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly nowMs: () => number;
  /** Uniform in [0, bound). */
  readonly randomBelow: (bound: number) => number;
}

/** One run of `up`, as the stores see it. */
export interface StartRun extends StackTools {
  readonly state: StackState;
  readonly cassandraNodes: number;
  readonly anyPort: boolean;
  /** Servers of msgr that are part of the stack. */
  readonly serverCount: number;
  readonly serverProgram: ServerProgram;
  /** host:port of the server that nginx stands in front of when none is part of the stack. */
  readonly otherServer: string;
  /** Ports given away in this run. */
  readonly takenPorts: Set<number>;
  /** What this run has started: on failure just that is ended. */
  readonly started: StackProcess[];
}
