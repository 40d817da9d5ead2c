import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import { didYouMean } from "../../base/did-you-mean.ts";
import { environmentName, settings, type Setting } from "./config-schema.ts";

/** One value that somebody gave, and where. */
export interface ConfigEntry {
  readonly path: string;
  readonly value: unknown;
  /** `--port`, `MSGR_HTTP__PORT`, `./msgr.yaml:3:9`. */
  readonly origin: string;
}

export interface ConfigProblem {
  readonly where: string;
  readonly what: string;
  readonly fix: string;
}

/** Everything that may say something about the configuration, as text. Files in order, the first one wins. */
export interface ConfigSources {
  /** Path → the flag's value. */
  readonly flags: readonly ConfigEntry[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of a `.env` file, read in development only. */
  readonly dotenv: Readonly<Record<string, string | undefined>>;
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Of a mode such as --dev, and of the stack of this machine: they win over defaults only, the first one over the next. */
  readonly fallbacks: readonly ConfigEntry[];
}

export interface CollectedEntries {
  /** At most one a path: the one that counts. */
  readonly entries: readonly ConfigEntry[];
  readonly problems: readonly ConfigProblem[];
}

/** Pure: flag > environment > .env > files, in their order > fallbacks. What nobody knows is a problem with its place and a guess. */
export function collectEntries(sources: ConfigSources): CollectedEntries {
  const problems: ConfigProblem[] = [];
  const layers: readonly (readonly ConfigEntry[])[] = [
    sources.flags,
    environmentEntries(sources.environment, "", problems),
    environmentEntries(sources.dotenv, ".env: ", problems),
    ...sources.files.map((file) => fileEntries(file, problems)),
    sources.fallbacks,
  ];
  const winners = new Map<string, ConfigEntry>();
  for (const layer of layers) {
    for (const entry of layer) if (!winners.has(entry.path)) winners.set(entry.path, entry);
  }
  return { entries: [...winners.values()], problems };
}

/**
 * Only names with a section (two underscores) and those of settings without one: MSGR_PORT and MSGR_SERVICE_HOST are what container platforms inject for a
 * service that happens to be called msgr.
 */
function environmentEntries(
  environment: Readonly<Record<string, string | undefined>>,
  prefix: string,
  problems: ConfigProblem[],
): readonly ConfigEntry[] {
  const byName = new Map(settings.map((setting) => [environmentName(setting.path), setting]));
  const entries: ConfigEntry[] = [];
  for (const [name, value] of Object.entries(environment)) {
    const setting = byName.get(name);
    if (value === undefined || (setting === undefined && !/^MSGR_[A-Z0-9]+__/.test(name))) continue;
    const origin = `${prefix}${name}`;
    if (setting === undefined) problems.push(unknownKey(origin, name, [...byName.keys()]));
    else entries.push({ path: setting.path, value: fromText(setting, value), origin });
  }
  return entries;
}

/** A word as the type that the setting has; what does not fit stays text, and the schema says what is wrong with it. */
export function fromText(setting: Pick<Setting, "type">, text: string): unknown {
  if (setting.type === "number" && /^-?\d+(\.\d+)?$/.test(text.trim())) return Number(text);
  if (setting.type === "boolean" && /^(true|false)$/i.test(text.trim())) return text.trim().toLowerCase() === "true";
  return text;
}

function fileEntries(
  file: { readonly name: string; readonly text: string },
  problems: ConfigProblem[],
): readonly ConfigEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, uniqueKeys: true });
  const place = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${file.name}:${line}:${col}`;
  };
  for (const error of document.errors) {
    problems.push({
      where: place(error.pos[0]),
      what: error.message.split("\n")[0] ?? "not YAML",
      fix: "Mend the YAML.",
    });
  }
  if (document.errors.length > 0 || document.contents === null) return [];
  if (!isMap(document.contents)) {
    problems.push({
      where: place(0),
      what: "not a map of sections",
      fix: "Write `section:` lines with settings below.",
    });
    return [];
  }
  return sectionEntries(document.contents, place, problems);
}

type Place = (offset: number | undefined) => string;

function sectionEntries(sections: YAMLMap, place: Place, problems: ConfigProblem[]): readonly ConfigEntry[] {
  const entries: ConfigEntry[] = [];
  for (const [section, body, where] of pairs(sections, place)) {
    const known = settings.filter((setting) => setting.path.startsWith(`${section}.`));
    if (settings.some((setting) => setting.path === section)) {
      entries.push({ path: section, value: isScalar(body) ? body.value : undefined, origin: where });
    } else if (known.length === 0) {
      problems.push(unknownKey(where, section, [...new Set(settings.map(({ path }) => path.split(".")[0] as string))]));
    } else if (isMap(body)) {
      for (const [key, value, at] of pairs(body, place)) {
        const path = `${section}.${key}`;
        if (known.some((setting) => setting.path === path)) {
          entries.push({ path, value: isScalar(value) ? value.value : undefined, origin: at });
        } else
          problems.push(
            unknownKey(
              at,
              key,
              known.map((setting) => setting.path.split(".")[1] as string),
            ),
          );
      }
    } else if (!isScalar(body) || body.value !== null) {
      problems.push({
        where,
        what: `${section} is a section`,
        fix: `Write its settings indented below \`${section}:\`.`,
      });
    }
  }
  return entries;
}

function* pairs(map: YAMLMap, place: Place): Generator<[key: string, value: unknown, where: string]> {
  for (const pair of map.items) {
    const key = pair.key;
    if (isScalar(key)) yield [String(key.value), pair.value, place(key.range?.[0])];
  }
}

function unknownKey(where: string, key: string, known: readonly string[]): ConfigProblem {
  const guess = didYouMean(key, known);
  return {
    where,
    what: `unknown setting ${key}`,
    fix: guess === undefined ? `Known here: ${known.join(", ")}.` : `Did you mean ${guess}?`,
  };
}
