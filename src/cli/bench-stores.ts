import path from "node:path";
import type { StoreAccess } from "../bench/driver/store-access.ts";
import { type Config, environmentName, settings, settingValue } from "../server/config/config-schema.ts";
import { cassandraOptions, redisSettings } from "../server/store-options.ts";
import { readStackFile } from "../stack/stack-file.ts";
import type { Invocation } from "./command.ts";
import type { CliEnvironment } from "./env.ts";
import { configError, type ConfigRequest, loadConfig, stackFolder } from "./load-config.ts";
import { authoritiesIn } from "./trust-authorities.ts";

/** The stores that a run on them uses: as `msgr serve --profile cluster` would find them from here. */
const storeSections: ReadonlySet<string> = new Set(["cassandra", "postgres", "redis", "s3", "kafka"]);

/** What was said of stores and servers that the run does not start itself. Throws CliError (configuration). */
export function readBenchConfig({ options, environment }: Invocation): Config {
  const file = options["config"] as string | undefined;
  return readConfig({ flags: [], set: [], file, dev: undefined }, environment);
}

/** Authorities (PEM) that the load workers have to believe, as this process does by having read the configuration. */
export function resolveAuthorities({ tls }: Config, { workingDirectory }: CliEnvironment): readonly string[] {
  return tls.ca_file === undefined ? [] : authoritiesIn(path.resolve(workingDirectory, tls.ca_file));
}

/** The stores of a stack in that folder, whatever the user's own configuration says of stores. */
export function resolveStackStores(directory: string, environment: CliEnvironment): StoreAccess {
  const flags = [{ path: "stack.directory", text: directory, flag: "faults" }];
  const folders = { ...environment.folders, config: directory };
  const bare = { variables: {}, workingDirectory: directory, program: environment.program, folders };
  return resolveStores(readConfig({ flags, set: [], file: undefined, dev: undefined }, bare), bare);
}

function readConfig(request: ConfigRequest, environment: CliEnvironment): Config {
  const resolved = loadConfig(request, environment);
  if ("problems" in resolved) throw configError(resolved.problems);
  return resolved.config;
}

export function resolveStores(config: Config, environment: CliEnvironment): StoreAccess {
  const { postgres } = config;
  return {
    environment: { ...storeEnvironment(config), ...trustIn(config, environment) },
    cassandra: cassandraOptions(config),
    postgres: { url: postgres.url, password: postgres.password, timeoutMs: postgres.timeout_ms },
    redis: redisSettings(config),
    processes: stackProcesses(config, environment),
  };
}

/** What the server under test is told: secrets as themselves, since files were named relative to this folder. */
function storeEnvironment(config: Config): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const { path: name } of settings) {
    const value = settingValue(config, name);
    const isText = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    if (!isText || value === "" || name.endsWith("_file")) continue;
    if (storeSections.has(name.split(".")[0] ?? "")) variables[environmentName(name)] = String(value);
  }
  return variables;
}

/** Whom the servers believe; a path that means the same wherever they run. */
function trustIn({ tls }: Config, { workingDirectory }: CliEnvironment): Readonly<Record<string, string>> {
  const file = tls.ca_file;
  return file === undefined ? {} : { [environmentName("tls.ca_file")]: path.resolve(workingDirectory, file) };
}

function stackProcesses(config: Config, environment: CliEnvironment): StoreAccess["processes"] {
  const { directory } = config.stack;
  const said = directory === undefined ? [] : [{ path: "stack.directory", value: directory, origin: "" }];
  const processes = readStackFile(stackFolder(said, environment))?.processes ?? [];
  return processes.map(({ name, pid, version, address }) => ({ name, pid, version, address }));
}
