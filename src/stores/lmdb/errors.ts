/**
 * Why a data folder cannot be opened. The one table of these errors: the command line prints `message` and `fix` and
 * maps the code to its exit code. Nothing in the folder was changed when one of them is thrown.
 */
export interface DataFolderErrorEntry {
  readonly message: string;
  readonly fix: string;
}

export const dataFolderErrors = {
  folder_in_use: {
    message: "Another process has this data folder open.",
    fix: "Stop that process, or give this one a data folder of its own.",
  },
  schema_newer: {
    message: "This data folder was written by a newer version.",
    fix: "Run the version that wrote it, or a later one; data is never converted backwards.",
  },
  bucket_rows_differ: {
    message: "This data folder was made with another number of rows per bucket.",
    fix: "Open it with the number it was made with; it is fixed for the life of the data.",
  },
  folder_unusable: {
    message: "The data folder cannot be read and written.",
    fix: "Check that the path is a folder on a local disk with free space, owned by the user that runs the server.",
  },
  data_damaged: {
    message: "The files in the data folder are not a readable database.",
    fix: "Restore the folder from a backup, or move it away to start with an empty one.",
  },
} as const satisfies Record<string, DataFolderErrorEntry>;

export type DataFolderErrorCode = keyof typeof dataFolderErrors;

export class DataFolderError extends Error {
  override readonly name = "DataFolderError";
  readonly code: DataFolderErrorCode;

  constructor(code: DataFolderErrorCode, detail: string, cause?: unknown) {
    super(`${dataFolderErrors[code].message} ${detail}`, { cause });
    this.code = code;
  }

  /** What the reader can do about it. */
  get fix(): string {
    return dataFolderErrors[this.code].fix;
  }
}
