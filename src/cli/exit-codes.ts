/**
 * How every command ends, for scripts to tell one failure from another. Only `main.ts` exits; commands answer with a
 * name of this table. docs/cli.md prints it; a test proves them equal.
 */
export interface ExitCodeEntry {
  readonly code: number;
  readonly meaning: string;
}

export const exitCodes = {
  done: { code: 0, meaning: "Done." },
  failed: { code: 1, meaning: "Failed; the message says why." },
  usage: { code: 2, meaning: "Wrong usage, or a scenario file with a mistake." },
  configuration: { code: 3, meaning: "Wrong configuration." },
  unreachable: { code: 4, meaning: "A store or a server did not answer." },
  finding: { code: 5, meaning: "A check found something." },
  locked: { code: 6, meaning: "Another process holds the lock or the port." },
  threshold: { code: 7, meaning: "A threshold of the scenario was missed." },
  invalid_run: { code: 8, meaning: "The run proves nothing: the load generator or the machine was the limit." },
  incorrect: { code: 9, meaning: "Correctness is broken: something was lost, duplicated or reordered." },
  interrupted: { code: 130, meaning: "Ended by SIGINT." },
  terminated: { code: 143, meaning: "Ended by SIGTERM." },
} as const satisfies Record<string, ExitCodeEntry>;

export type ExitReason = keyof typeof exitCodes;
