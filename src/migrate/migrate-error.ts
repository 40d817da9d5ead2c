export type MigrateErrorCode =
  /** A file that cannot be understood, or files that do not form a sequence. */
  | "bad_file"
  /** A file that is not what was applied. */
  | "changed"
  /** The store has migrations that this version does not know. */
  | "newer"
  | "lint"
  /** Another runner has the lock. */
  | "locked"
  /** The lock went to another runner, or its session ended. */
  | "lock_lost"
  | "statement_failed"
  | "verify_failed"
  | "no_agreement"
  | "interrupted"
  /** The command was asked for something that is not there. */
  | "usage";

/** Why migrations were not run, or stopped. What was done until then is in the journal. */
export class MigrateError extends Error {
  override readonly name = "MigrateError";
  readonly code: MigrateErrorCode;
  /** What to do about it: a sentence or a command. */
  readonly fix: string;

  constructor(code: MigrateErrorCode, message: string, fix: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.fix = fix;
  }
}
