import { readFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { parseResult, type BenchResult, resultSchema } from "../../bench/report/result.ts";
import { summaryText } from "../../bench/report/summary.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";

export const benchReportCommand: Command = {
  name: "bench report",
  summary: "Print the summary of an earlier run again",
  arguments: [{ name: "result", description: "a result file of msgr bench", required: true }],
  examples: [
    { command: "msgr bench report results/quickstart.json", what: "The summary as it was printed" },
    {
      command: "msgr bench report results/quickstart.json --json",
      what: "The result itself, checked against its schema",
    },
  ],
  output: { schema: resultSchema, lines: false },
  exits: [],
  run(invocation) {
    const { output } = invocation;
    const result = readResult(invocation);
    output.data(result, () => summaryText(result, { colour: output.styleData("bold", "") !== "" }).trimEnd());
    return Promise.resolve("done");
  },
};

function readResult({ arguments: given, environment }: Invocation): BenchResult {
  const name = String(given["result"]);
  let text: string;
  try {
    text = readFileSync(path.resolve(environment.workingDirectory, name), "utf8");
  } catch (cause) {
    throw new CliError("usage", `${name} cannot be read.`, { fix: "Give the file that msgr bench named.", cause });
  }
  try {
    return parseResult(text);
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause).split("\n")[0] : "it is not JSON";
    const fix = "Results of another version are read by the msgr that made them.";
    throw new CliError("usage", `${name} is no result of this version: ${why}.`, { fix, cause });
  }
}
