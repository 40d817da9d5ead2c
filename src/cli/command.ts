import type { z } from "zod";
import type { CliEnvironment } from "./env.ts";
import type { ExitReason } from "./exit-codes.ts";
import type { Output } from "./output.ts";

/**
 * One command of `msgr`, as data: the parser, help, docs and tests are made from it. A command is a file in commands/ and
 * a line in registry.ts; what it works with it imports when it runs, so that the others start fast.
 */
export interface Command {
  /** `serve`, `config show`. */
  readonly name: string;
  /** What it does, a sentence without a full stop. */
  readonly summary: string;
  /** More of it, for its own help. */
  readonly details?: string;
  readonly arguments?: readonly CommandArgument[];
  readonly options?: readonly CommandOption[];
  /** At least two. */
  readonly examples: readonly { readonly command: string; readonly what: string }[];
  /** What `--json` prints; absent = the command prints no data. One document, or one a line (`lines`). */
  readonly output?: { readonly schema: z.ZodType; readonly lines: boolean };
  /** How it may end, apart from ok, failed, usage and the signals. */
  readonly exits: readonly ExitReason[];
  /** Throws CliError for what the user can mend. */
  run(invocation: Invocation): Promise<ExitReason>;
}

export interface CommandArgument {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  /** Takes all the words that are left. */
  readonly variadic?: boolean;
}

export interface CommandOption {
  /** `--port <n>`, `-n, --limit <n>`, `--dev`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** May be given several times; its value is then a list. */
  readonly repeatable?: boolean;
}

export interface Invocation {
  /** By name; undefined if left out. */
  readonly arguments: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** By name in camel case (`--log-level` = logLevel). Values are text, lists of text or, for flags, true. */
  readonly options: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
  readonly output: Output;
  readonly environment: CliEnvironment;
  /** Whether the command may ask the person at the terminal. */
  readonly mayAsk: boolean;
  /** Aborted by the first SIGINT or SIGTERM; a second one ends the process. `reason` is the signal's name. */
  readonly interrupted: AbortSignal;
  readonly stdin: NodeJS.ReadStream;
}
