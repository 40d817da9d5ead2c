import { safeLine } from "../../base/safe-text.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { StorageError } from "../../client/storage/types.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import type { AccountChoice } from "./choose-account.ts";

/** What the server or the local storage refused, as a person reads it, with the command that mends it. */
export function explainError(error: unknown, choice?: AccountChoice): unknown {
  if (error instanceof ApiError) return explainApiError(error, choice);
  if (error instanceof StorageError) return new CliError("failed", error.message, { fix: error.fix, cause: error });
  return error;
}

function explainApiError(error: ApiError, choice: AccountChoice | undefined): CliError {
  // Words of a server are words of others.
  const what = safeLine(error.message);
  if (error.code === "unreachable")
    return new CliError("unreachable", what, { fix: startServer(choice), cause: error });
  if (error.code === "unauthenticated" || error.code === "token_reused") {
    return new CliError("failed", what, { fix: loginAgain(choice), cause: error });
  }
  const exit = error.status >= 500 ? "unreachable" : "failed";
  const wait = error.retryAfterMs === undefined ? "" : ` Try again in ${Math.ceil(error.retryAfterMs / 1_000)} s.`;
  return new CliError(exit, what, { fix: `${safeLine(error.fix)}${wait}`, cause: error });
}

function startServer(choice: AccountChoice | undefined): string {
  const server = choice?.account.server;
  const host = server === undefined ? "127.0.0.1" : new URL(server).hostname;
  const isHere = host === "localhost" || host === "[::1]" || host.startsWith("127.");
  return isHere
    ? "`msgr serve --dev` starts a server on this machine; --server names another."
    : "Check the network and the address; --server names another.";
}

function loginAgain(choice: AccountChoice | undefined): string {
  if (choice === undefined) return "`msgr login HANDLE`";
  const { name, account } = choice;
  return `\`msgr login ${account.handle} --server ${account.server} --as ${safeLine(name)}\``;
}

/** A command whose failures are explained. */
export function explaining(run: (invocation: Invocation) => Promise<ExitReason>): Command["run"] {
  return (invocation) => run(invocation).catch((error: unknown) => Promise.reject(explainError(error)));
}
