import type { CollectedEntries, ConfigProblem } from "./collect-entries.ts";
import { configSchema, environmentName, settings, settingValue, type Config } from "./config-schema.ts";

/** Where a value came from: a flag, a variable, a place in a file, or `default`. */
export interface ResolvedConfig {
  readonly config: Config;
  readonly origins: ReadonlyMap<string, string>;
}

/** Pure: the values that count, checked by the schema, or everything that is wrong with them. */
export function resolveConfig(
  collected: CollectedEntries,
): ResolvedConfig | { readonly problems: readonly ConfigProblem[] } {
  const raw: Record<string, unknown> = {};
  for (const { path } of settings) if (path.includes(".")) raw[path.split(".")[0] as string] ??= {};
  const origins = new Map<string, string>();
  for (const { path, value, origin } of collected.entries) {
    const [section, key] = path.split(".") as [string, string | undefined];
    if (key === undefined) raw[section] = value;
    else (raw[section] as Record<string, unknown>)[key] = value;
    origins.set(path, origin);
  }
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((issue) => {
      const path = issue.path.join(".");
      return problemOf(path, origins.get(path) ?? path, issue.message);
    });
    return { problems: [...collected.problems, ...wrong] };
  }
  if (collected.problems.length > 0) return { problems: collected.problems };
  return { config: parsed.data, origins };
}

function problemOf(path: string, where: string, message: string): ConfigProblem {
  const setting = settings.find((known) => known.path === path);
  const words = setting === undefined ? "" : ` (${setting.description})`;
  return { where, what: `${path}${words}: ${message}`, fix: `Correct it there, or set ${environmentName(path)}.` };
}

/** Every setting as one would print it: secrets are masked. */
export function describeConfig(
  resolved: ResolvedConfig,
): readonly { readonly path: string; readonly value: unknown; readonly origin: string }[] {
  return settings.map(({ path, secret }) => {
    const value = settingValue(resolved.config, path);
    return {
      path,
      value: value === undefined ? null : secret ? "***" : value,
      origin: resolved.origins.get(path) ?? "default",
    };
  });
}
