import type { StoreAccess } from "../bench/driver/store-access.ts";
import { type Config, environmentName, settings, settingValue } from "../server/config/config-schema.ts";
import { readStackFile } from "../stack/stack-file.ts";
import type { Invocation } from "./command.ts";
import type { CliEnvironment } from "./env.ts";
import { configError, type ConfigRequest, loadConfig, stackFolder } from "./load-config.ts";

/** The stores that a run on them uses: as `msgr serve --profile cluster` would find them from here. */
const storeSections: ReadonlySet<string> = new Set(["cassandra", "postgres", "redis", "s3", "kafka"]);

/** Throws CliError (configuration). */
export function resolveStores({ options, environment }: Invocation): StoreAccess {
  const file = options["config"] as string | undefined;
  return accessOf({ flags: [], set: [], file, dev: undefined }, environment);
}

/** The stores of a stack in that folder, whatever the user's own configuration says of stores. */
export function resolveStackStores(directory: string, environment: CliEnvironment): StoreAccess {
  const flags = [{ path: "stack.directory", text: directory, flag: "faults" }];
  const folders = { ...environment.folders, config: directory };
  const bare = { variables: {}, workingDirectory: directory, program: environment.program, folders };
  return accessOf({ flags, set: [], file: undefined, dev: undefined }, bare);
}

function accessOf(request: ConfigRequest, environment: CliEnvironment): StoreAccess {
  const resolved = loadConfig(request, environment);
  if ("problems" in resolved) throw configError(resolved.problems);
  const { config } = resolved;
  const { cassandra, postgres, redis } = config;
  return {
    environment: storeEnvironment(config),
    cassandra: {
      contactPoints: cassandra.contact_points,
      datacenter: cassandra.datacenter,
      keyspace: cassandra.keyspace,
      username: cassandra.username,
      password: cassandra.password,
      inFlightMax: cassandra.in_flight_max,
      timeoutMs: cassandra.timeout_ms,
    },
    postgres: { url: postgres.url, password: postgres.password, timeoutMs: postgres.timeout_ms },
    redis: {
      url: redis.url,
      password: redis.password,
      keyPrefix: redis.key_prefix,
      timeoutMs: redis.timeout_ms,
    },
    processes: stackProcesses(config, environment),
  };
}

/** What the server under test is told: secrets as themselves, since files were named relative to this folder. */
function storeEnvironment(config: Config): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { path } of settings) {
    const value = settingValue(config, path);
    const isText = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    if (!isText || value === "" || path.endsWith("_file")) continue;
    if (storeSections.has(path.split(".")[0] ?? "")) variables[environmentName(path)] = String(value);
  }
  return variables;
}

function stackProcesses(config: Config, environment: CliEnvironment): StoreAccess["processes"] {
  const { directory } = config.stack;
  const said = directory === undefined ? [] : [{ path: "stack.directory", value: directory, origin: "" }];
  const processes = readStackFile(stackFolder(said, environment))?.processes ?? [];
  return processes.map(({ name, pid, version, address }) => ({ name, pid, version, address }));
}
