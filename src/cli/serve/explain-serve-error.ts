import { StoreError } from "../../base/store-error.ts";
import type { ResolvedConfig } from "../../server/config/resolve-config.ts";
import { DataFolderError } from "../../stores/lmdb/errors.ts";
import { NameTakenError } from "../../stores/redis/name-taken.ts";
import { CliError } from "../cli-error.ts";
import { explainStoreError } from "../explain-store-error.ts";

/** What starting a server can run into, with its exit and its fix; anything else as it is. */
export function explainServeError(error: unknown, { config }: ResolvedConfig): unknown {
  if (error instanceof NameTakenError) return new CliError("locked", error.message, { fix: error.fix, cause: error });
  if (error instanceof StoreError) return explainStoreError(error);
  if (error instanceof DataFolderError) {
    const exit = error.code === "folder_in_use" ? "locked" : error.code === "data_damaged" ? "failed" : "configuration";
    return new CliError(exit, error.message, { fix: error.fix, cause: error });
  }
  if (!(error instanceof Error)) return error;
  if (error.name === "PortTakenError") {
    const fix = "Stop the process that has it, or choose another with --port (0 = any free one).";
    return new CliError("locked", error.message, { fix, cause: error });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    const what = `Cannot listen on ${config.http.host}:${config.http.port} (${code}).`;
    return new CliError("configuration", what, {
      fix: "Choose an address of this machine and a port above 1023.",
      cause: error,
    });
  }
  return error;
}
