import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { didYouMean } from "../../base/did-you-mean.ts";
import { safeText } from "../../base/safe-text.ts";
import { lastLines } from "../../stack/processes/log-file.ts";
import { LogFollower } from "../../stack/processes/log-follower.ts";
import { knownLogs, type StackLog } from "../../stack/stack-logs.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { directoryOption, stackPlace } from "../stack/stack-options.ts";

const linesDefault = 50;
const linesMax = 10_000;
const pollMs = 250;

export const stackLogsCommand: Command = {
  name: "stack logs",
  summary: "Print the last lines of the stores' logs",
  arguments: [{ name: "name", description: "cassandra, cassandra-2, postgres, …; without it all", required: false }],
  options: [
    { flags: "-n, --lines <n>", description: `lines of each log, up to ${linesMax}; default: ${linesDefault}` },
    { flags: "-f, --follow", description: "go on with what comes, until Ctrl-C" },
    directoryOption,
  ],
  examples: [
    { command: "msgr stack logs cassandra --follow", what: "Watch one" },
    { command: "msgr stack logs --lines 5", what: "The end of each" },
  ],
  output: { schema: z.object({ name: z.string(), line: z.string() }), lines: true },
  exits: ["configuration", "interrupted", "terminated"],
  run: logs,
};

async function logs(invocation: Invocation): Promise<ExitReason> {
  const { options, output, interrupted } = invocation;
  const { directory } = stackPlace(invocation);
  const count = linesOf(options["lines"]);
  const chosen = choose(knownLogs(directory), invocation.arguments["name"], directory);
  const print = (name: string, line: string): void => {
    const prefix = chosen.length > 1 ? `${output.styleData("cyan", `${name}:`)} ` : "";
    output.data({ name, line }, () => `${prefix}${safeText(line)}`);
  };
  // Made before the tail is read: what is written in between is printed twice rather than never.
  const followers = chosen.map((log) => ({ ...log, follower: new LogFollower(log.file) }));
  for (const { name, file } of chosen) for (const line of lastLines(file, count)) print(name, line);
  if (options["follow"] !== true) return "done";
  while (!interrupted.aborted) {
    for (const { name, follower } of followers) for (const line of follower.read()) print(name, line);
    await sleep(pollMs, undefined, { signal: interrupted }).catch(() => undefined);
  }
  return interrupted.reason === "SIGTERM" ? "terminated" : "interrupted";
}

function linesOf(text: Invocation["options"][string]): number {
  if (text === undefined) return linesDefault;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 0 && count <= linesMax) return count;
  throw new CliError("usage", `--lines: ${String(text)} is not a number up to ${linesMax}.`);
}

function choose(
  known: readonly StackLog[],
  name: Invocation["arguments"][string],
  directory: string,
): readonly StackLog[] {
  if (typeof name !== "string") {
    if (known.length > 0) return known;
    throw new CliError("configuration", `There are no logs in ${directory}.`, { fix: "Start it: msgr stack up" });
  }
  const found = known.filter((log) => log.name === name);
  if (found.length > 0) return found;
  const names = known.map((log) => log.name);
  const guess = didYouMean(name, names);
  const fix = guess === undefined ? `There are ${names.join(", ") || "none"}.` : `Did you mean ${guess}?`;
  throw new CliError("usage", `There is no log of ${JSON.stringify(name)} in ${directory}.`, { fix });
}
