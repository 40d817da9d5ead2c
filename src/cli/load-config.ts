import { readFileSync } from "node:fs";
import path from "node:path";
import { parseEnv } from "node:util";
import {
  collectEntries,
  fromText,
  type ConfigEntry,
  type ConfigProblem,
  type ConfigSources,
} from "../server/config/collect-entries.ts";
import { settings, settingValue } from "../server/config/config-schema.ts";
import { readStackFile, stackFileName } from "../stack/stack-file.ts";
import { resolveConfig, type ResolvedConfig } from "../server/config/resolve-config.ts";
import { didYouMean } from "../base/did-you-mean.ts";
import { CliError } from "./cli-error.ts";
import { trustAuthorities } from "./trust-authorities.ts";
import type { CliEnvironment } from "./env.ts";

export interface ConfigRequest {
  /** Path of a setting → the flag that gave it and its text. */
  readonly flags: readonly { readonly path: string; readonly text: string; readonly flag: string }[];
  /** `section.key=value`, as many as wanted. */
  readonly set: readonly string[];
  /** A file to read instead of ./msgr.yaml. */
  readonly file: string | undefined;
  /** Development: `.env` of the working directory is read, and these hold where nothing else was said. */
  readonly dev: readonly ConfigEntry[] | undefined;
}

/** Reads every source. What the user can mend is answered as problems; a named file that is missing is one. */
export function loadConfig(
  request: ConfigRequest,
  environment: CliEnvironment,
): ResolvedConfig | { readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const here = environment.workingDirectory;
  const files = [
    readConfigFile(request.file ?? "msgr.yaml", here, request.file !== undefined, problems),
    readConfigFile(path.join(environment.folders.config, "msgr.yaml"), here, false, problems),
  ];
  const dotenv = request.dev === undefined ? "" : (readText(path.join(here, ".env")) ?? "");
  const sources: ConfigSources = {
    flags: flagEntries(request, problems),
    environment: environment.variables,
    dotenv: parseEnv(dotenv),
    files: files.filter((file) => file !== undefined),
    fallbacks: request.dev ?? [],
  };
  const stack = stackEntries(stackFolder(collectEntries(sources).entries, environment));
  const collected = collectEntries({ ...sources, fallbacks: [...sources.fallbacks, ...stack] });
  const resolved = resolveConfig({ entries: collected.entries, problems: [...problems, ...collected.problems] });
  if ("problems" in resolved) return resolved;
  const authorities = resolved.config.tls.ca_file;
  if (authorities !== undefined) trustAuthorities(path.resolve(here, authorities));
  return withSecrets(resolved, here);
}

export function configError(problems: readonly ConfigProblem[]): CliError {
  const lines = problems.map(({ where, what, fix }) => `\n  ${where}: ${what}\n    ${fix}`);
  return new CliError("configuration", `The configuration is wrong.${lines.join("")}`, {
    fix: "`msgr config show` prints every setting with its origin.",
  });
}

function flagEntries(request: ConfigRequest, problems: ConfigProblem[]): readonly ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  const add = (name: string, text: string, origin: string): void => {
    const setting = settings.find(({ path: known }) => known === name);
    if (setting !== undefined) {
      entries.push({ path: name, value: fromText(setting, text), origin });
      return;
    }
    const guess = didYouMean(
      name,
      settings.map(({ path: known }) => known),
    );
    const fix = guess === undefined ? "`msgr config show` prints every setting." : `Did you mean ${guess}?`;
    problems.push({ where: origin, what: `unknown setting ${name}`, fix });
  };
  for (const { path: name, text, flag } of request.flags) add(name, text, flag);
  for (const words of request.set) {
    const at = words.indexOf("=");
    if (at > 0) add(words.slice(0, at), words.slice(at + 1), `--set ${words.slice(0, at)}`);
    else problems.push({ where: "--set", what: `${words} has no value`, fix: "Write --set section.key=value." });
  }
  return entries;
}

function readConfigFile(
  name: string,
  here: string,
  named: boolean,
  problems: ConfigProblem[],
): { readonly name: string; readonly text: string } | undefined {
  const text = readText(path.resolve(here, name));
  if (text !== undefined) return { name, text };
  if (named)
    problems.push({ where: `--config ${name}`, what: "no such file", fix: "Correct the path, or leave the flag out." });
  return undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CliError("configuration", `${file} cannot be read (${code ?? "unknown"}).`, {
      cause: error,
      fix: "Check its permissions.",
    });
  }
}

/** Folder of `msgr stack`, as far as anything was said about it. */
export function stackFolder(entries: readonly ConfigEntry[], environment: CliEnvironment): string {
  const said = entries.find(({ path: name }) => name === "stack.directory")?.value;
  return typeof said === "string" && said !== ""
    ? path.resolve(environment.workingDirectory, said)
    : path.join(environment.folders.state, "stack");
}

/** The addresses of the stores that `msgr stack` started on this machine, so that nobody has to copy them. */
function stackEntries(directory: string): readonly ConfigEntry[] {
  const file = readStackFile(directory);
  const origin = `msgr stack (${path.join(directory, stackFileName)})`;
  return Object.entries(file?.settings ?? {}).map(([name, value]) => ({ path: name, value, origin }));
}

/** `*_file` settings name a file whose first line is the secret, so that it is in no argument list and no environment. */
function withSecrets(
  resolved: ResolvedConfig,
  here: string,
): ResolvedConfig | { readonly problems: readonly ConfigProblem[] } {
  const config = structuredClone(resolved.config);
  const origins = new Map(resolved.origins);
  const problems: ConfigProblem[] = [];
  for (const { path: secretPath, schema, secret } of settings) {
    const file = secret ? settingValue(config, `${secretPath}_file`) : undefined;
    if (typeof file !== "string") continue;
    const where = origins.get(`${secretPath}_file`) ?? `${secretPath}_file`;
    const text = readText(path.resolve(here, file))?.split("\n")[0]?.trim();
    const parsed = schema.safeParse(text);
    if (text === undefined) problems.push({ where, what: `${file}: no such file`, fix: "Correct the path." });
    else if (!parsed.success) {
      const why = parsed.error.issues[0]?.message ?? "not a secret";
      problems.push({ where, what: `${file}: ${why}`, fix: "Put the secret into its first line." });
    } else {
      const [section, key] = secretPath.split(".") as [keyof typeof config, string];
      (config[section] as Record<string, unknown>)[key] = text;
      origins.set(secretPath, `${where} (${file})`);
    }
  }
  return problems.length > 0 ? { problems } : { config, origins };
}
