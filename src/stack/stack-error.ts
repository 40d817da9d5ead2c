/**
 * What keeps the stack from starting or stopping, as the person at the terminal should read it. `reason` is the name of
 * an exit code: configuration = something is missing or wrong on this machine, unreachable = a store or the network did
 * not answer, locked = another command works on the folder, failed = the rest.
 */
export class StackError extends Error {
  override readonly name = "StackError";
  readonly reason: "failed" | "configuration" | "unreachable" | "locked";
  readonly fix: string;

  constructor(reason: StackError["reason"], message: string, fix: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
    this.fix = fix;
  }
}

/** What an error of the file system means for a folder of the stack; other errors are handed back as they are. */
export function folderError(error: unknown, folder: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOENT":
      return new StackError(
        "configuration",
        `${folder} cannot be written to (${code}).`,
        "Name another folder with --directory, or mend its permissions.",
        error,
      );
    case "ENOTDIR":
    case "EEXIST":
      return new StackError(
        "configuration",
        `${folder} cannot be made: a file is in its way (${code}).`,
        "Name another folder with --directory.",
        error,
      );
    case "ENOSPC":
    case "EDQUOT":
      return new StackError(
        "failed",
        `The disk of ${folder} is full (${code}).`,
        "Make room, or name a folder on another disk with --directory.",
        error,
      );
    default:
      return error;
  }
}
