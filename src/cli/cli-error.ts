import type { ExitReason } from "./exit-codes.ts";

/** A failure as the person at the terminal should read it: what, why and what to do. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exit: ExitReason;
  /** What to do about it: a sentence or a command. */
  readonly fix: string | undefined;

  constructor(exit: ExitReason, what: string, options: { fix?: string; cause?: unknown } = {}) {
    super(what, { cause: options.cause });
    this.exit = exit;
    this.fix = options.fix;
  }
}
