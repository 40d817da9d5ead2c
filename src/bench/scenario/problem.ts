/** Where something stands: `line` and `column` count from 1. Values of `--set` stand in a file of that name. */
export interface Origin {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing that is wrong with a scenario, for its author. */
export interface Problem extends Origin {
  readonly message: string;
  /** What was most likely meant. */
  readonly suggestion?: string | undefined;
}

export function problemAt(origin: Origin, message: string, suggestion?: string): Problem {
  return { file: origin.file, line: origin.line, column: origin.column, message, suggestion };
}

/** `file:line:col message — did you mean "x"?` */
export function formatProblem(problem: Problem): string {
  const hint = problem.suggestion === undefined ? "" : ` — did you mean "${problem.suggestion}"?`;
  return `${problem.file}:${problem.line}:${problem.column} ${problem.message}${hint}`;
}
