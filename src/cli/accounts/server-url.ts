import { CliError } from "../cli-error.ts";
import type { CliEnvironment } from "../env.ts";
import { configError, loadConfig } from "../load-config.ts";

/** What was said about the server, if anything, and where it is when nobody said so. */
export interface ServerChoice {
  /** By --server or the configuration (client.server_url). */
  readonly given: string | undefined;
  readonly fallback: string;
}

/** Throws CliError: usage for a bad flag, configuration for a bad file or variable. */
export function chooseServer(flag: string | undefined, environment: CliEnvironment): ServerChoice {
  const resolved = loadConfig({ flags: [], set: [], file: undefined, dev: undefined }, environment);
  if ("problems" in resolved) throw configError(resolved.problems);
  const { client, http } = resolved.config;
  const given = flag ?? client.server_url;
  return {
    given: given === undefined ? undefined : originOf(given),
    fallback: `http://127.0.0.1:${http.port === 0 ? portDefault : http.port}`,
  };
}

const portDefault = 8080;

/** Scheme, host and port; a path or credentials would be sent nowhere, so they are refused. */
function originOf(text: string): string {
  const url = URL.parse(text);
  const plain = url !== null && (url.protocol === "http:" || url.protocol === "https:");
  if (!plain || url.pathname !== "/" || url.search !== "" || url.username !== "" || url.password !== "") {
    throw new CliError("usage", `${text} is not the address of a server.`, {
      fix: "Write it as http://HOST:PORT or https://HOST, without a path.",
    });
  }
  return url.origin;
}
