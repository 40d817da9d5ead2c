import path from "node:path";
import { z } from "zod";
import { readStackFile } from "../../stack/stack-file.ts";
import { resetStack } from "../../stack/reset-stack.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { lineProgress } from "../stack/stack-progress.ts";
import { asCliErrors, directoryOption, stackPlace, stackTools } from "../stack/stack-options.ts";
import { stoppedDocument, stoppedText } from "../stack/stopped-processes.ts";

export const stackResetCommand: Command = {
  name: "stack reset",
  summary: "Stop the stores and delete their data",
  details: "Downloaded jars stay in the cache. Deletes nothing in a folder that `msgr stack up` has not made.",
  options: [
    { flags: "--confirm <name>", description: "name of the stack's folder, so that the right one is deleted" },
    directoryOption,
  ],
  examples: [
    { command: "msgr stack reset --confirm stack", what: "The usual stack; its folder is called stack" },
    { command: "msgr stack reset --directory ./try --confirm try", what: "Another one" },
  ],
  output: { schema: z.object({ directory: z.string(), stopped: stoppedDocument }), lines: false },
  exits: ["configuration", "locked"],
  run: reset,
};

async function reset(invocation: Invocation): Promise<ExitReason> {
  const { options, output, environment } = invocation;
  const { directory } = stackPlace(invocation);
  if (readStackFile(directory) === undefined) {
    output.data({ directory, stopped: [] }, () => `There is no stack in ${directory}.`);
    return "done";
  }
  const name = path.basename(directory);
  if (options["confirm"] !== name) {
    const given = typeof options["directory"] === "string" ? ` --directory ${options["directory"]}` : "";
    throw new CliError("usage", `This deletes all data of the stack in ${directory}.`, {
      fix: `${environment.program} stack reset${given} --confirm ${name}`,
    });
  }
  const stopped = await asCliErrors(() => resetStack({ ...stackTools(invocation, lineProgress(output)), directory }));
  output.data({ directory, stopped }, () => `${stoppedText(stopped, directory)}\nThe data in ${directory} is deleted.`);
  return "done";
}
