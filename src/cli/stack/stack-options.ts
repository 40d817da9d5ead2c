import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../../server/config/config-schema.ts";
import type { StackReporter, StackTools } from "../../stack/run-context.ts";
import { StackError } from "../../stack/stack-error.ts";
import { partNames, type PartName, type StoreName, storeNames } from "../../stack/versions.ts";
import { didYouMean } from "../../base/did-you-mean.ts";
import { createSystemRandom, randomBelow } from "../../base/random.ts";
import { CliError } from "../cli-error.ts";
import type { CommandOption, Invocation } from "../command.ts";
import type { CliEnvironment } from "../env.ts";
import { configError, loadConfig, stackFolder } from "../load-config.ts";

export const directoryOption: CommandOption = {
  flags: "--directory <dir>",
  description: "folder of the stack; default: stack.directory, else msgr/stack in the user's state folder",
};

export const onlyOption: CommandOption = {
  flags: "--only <stores>",
  description: `some of ${storeNames.join(", ")}, separated by commas`,
};

/** The folder that is meant, absolute, and the configuration that says so. */
export function stackPlace(invocation: Invocation): { readonly directory: string; readonly config: Config } {
  const { options, environment } = invocation;
  const given = options["directory"];
  const text = typeof given === "string" ? given : undefined;
  const flags = text === undefined ? [] : [{ path: "stack.directory", text, flag: "--directory" }];
  const resolved = loadConfig({ flags, set: [], file: undefined, dev: undefined }, environment);
  if ("problems" in resolved) throw configError(resolved.problems);
  const { config } = resolved;
  const said = config.stack.directory;
  const entries = said === undefined ? [] : [{ path: "stack.directory", value: said, origin: "" }];
  return { directory: stackFolder(entries, environment), config };
}

/** What another command has to be told to mean the same stack; empty where it would find it by itself. */
export function directoryFlag(directory: string, { folders }: Pick<CliEnvironment, "folders">): string {
  return directory === path.join(folders.state, "stack") ? "" : ` --directory ${directory}`;
}

export const partsOption: CommandOption = {
  flags: "--only <parts>",
  description: `some of ${partNames.join(", ")}, separated by commas`,
};

/** The stores that --only names; all of them without it. */
export function storesOf(invocation: Pick<Invocation, "options">): readonly StoreName[] {
  return chosen(invocation, storeNames, "store");
}

/** The parts that --only names; all of them without it. */
export function partsOf(invocation: Pick<Invocation, "options">): readonly PartName[] {
  return chosen(invocation, partNames, "part");
}

function chosen<Name extends PartName>(
  { options }: Pick<Invocation, "options">,
  known: readonly Name[],
  kind: string,
): readonly Name[] {
  const text = options["only"];
  if (typeof text !== "string") return known;
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) {
    if (known.some((one) => one === name)) continue;
    const guess = didYouMean(name, known);
    const fix = guess === undefined ? `The ${kind}s are ${known.join(", ")}.` : `Did you mean ${guess}?`;
    throw new CliError("usage", `--only: there is no ${kind} ${JSON.stringify(name)}.`, { fix });
  }
  return known.filter((one) => names.includes(one));
}

export function stackTools({ environment, interrupted }: Invocation, reporter: StackReporter): StackTools {
  const random = createSystemRandom();
  return {
    variables: environment.variables,
    cache: environment.folders.cache,
    signal: interrupted,
    reporter,
    sleep: (milliseconds) => sleep(milliseconds),
    nowMs: () => performance.now(),
    randomBelow: (bound) => randomBelow(random, bound),
  };
}

/** The stack's errors as the command line's. */
export async function asCliErrors<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StackError) throw new CliError(error.reason, error.message, { fix: error.fix, cause: error });
    throw error;
  }
}
