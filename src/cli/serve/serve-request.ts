import { configError, loadConfig, type ConfigRequest } from "../load-config.ts";
import { CliError } from "../cli-error.ts";
import type { Invocation } from "../command.ts";
import type { ResolvedConfig } from "../../server/config/resolve-config.ts";

/** What `msgr serve` was asked to do. */
export interface ServeRequest {
  readonly dev: boolean;
  /** undefined = this process serves itself. */
  readonly workers: number | undefined;
  readonly resolved: ResolvedConfig;
  /** Reads the configuration again, from the same places. */
  readonly loadAgain: () => ReturnType<typeof loadConfig>;
}

const workersMax = 64;

/** What --dev means where nothing else was said. */
const devFallbacks = [
  { path: "data.directory", value: ".msgr/dev", origin: "--dev" },
  { path: "drain.spread_ms", value: 0, origin: "--dev" },
  { path: "log.level", value: "warn", origin: "--dev" },
];

/** Throws CliError (usage, configuration). */
export function readServeRequest({ options, environment }: Invocation): ServeRequest {
  const dev = options["dev"] === true;
  const workers = parseWorkers(options["workers"]);
  const request = configRequestOf(options, dev);
  const resolved = loadConfig(request, environment);
  if ("problems" in resolved) throw configError(resolved.problems);
  const { config } = resolved;
  if (dev && config.profile === "cluster") {
    throw new CliError("usage", "--dev is a server of the embedded profile.", {
      fix: "Leave out --dev to run on the real stores, or say --profile embedded.",
    });
  }
  if (workers !== undefined) refuseWorkers(workers, config);
  return { dev, workers, resolved, loadAgain: () => loadConfig(request, environment) };
}

function parseWorkers(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= workersMax) return workers;
  throw new CliError("usage", `--workers takes a number from 1 to ${workersMax}.`, {
    fix: "One for each core that the server may have is a good number.",
  });
}

function refuseWorkers(workers: number, config: ResolvedConfig["config"]): void {
  if (config.profile !== "cluster") {
    throw new CliError("usage", "--workers is for the cluster profile: an embedded folder belongs to one process.", {
      fix: "Say --profile cluster to run on the real stores, or leave out --workers.",
    });
  }
  const { enabled, port } = config.admin;
  if (!enabled || port === 0) return;
  const last = port + workers - 1;
  if (last > 65_535) {
    throw new CliError("usage", `${workers} workers need the administrative ports ${port} to ${last}.`, {
      fix: "Choose a lower admin.port.",
    });
  }
  if (config.http.port >= port && config.http.port <= last) {
    throw new CliError("usage", `The workers' administrative ports, ${port} to ${last}, include http.port.`, {
      fix: "Choose an admin.port that is further off.",
    });
  }
}

function configRequestOf(options: Invocation["options"], dev: boolean): ConfigRequest {
  const flagOf: Readonly<Record<string, readonly [path: string, flag: string]>> = {
    profile: ["profile", "--profile"],
    data: ["data.directory", "--data"],
    host: ["http.host", "--host"],
    port: ["http.port", "--port"],
    adminPort: ["admin.port", "--admin-port"],
    adminTokenFile: ["admin.token_file", "--admin-token-file"],
    limits: ["limits.preset", "--limits"],
    logLevel: ["log.level", "--log-level"],
  };
  const flags = Object.entries(flagOf).flatMap(([name, [path, flag]]) => {
    const text = options[name];
    return typeof text === "string" ? [{ path, text, flag }] : [];
  });
  if (options["adminPort"] !== undefined) flags.push({ path: "admin.enabled", text: "true", flag: "--admin-port" });
  return {
    flags,
    set: (options["set"] ?? []) as string[],
    file: options["config"] as string | undefined,
    dev: dev ? devFallbacks : undefined,
  };
}
