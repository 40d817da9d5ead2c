import { z } from "zod";
import { stopStack } from "../../stack/stop-stack.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { lineProgress } from "../stack/stack-progress.ts";
import { asCliErrors, directoryOption, partsOf, partsOption, stackPlace, stackTools } from "../stack/stack-options.ts";
import { stoppedDocument, stoppedText } from "../stack/stopped-processes.ts";

export const stackDownCommand: Command = {
  name: "stack down",
  summary: "Stop the servers and the stores; their data stays",
  details:
    "Each is asked to finish and killed after 20 s. Only processes that `msgr stack up` has recorded are touched.",
  options: [partsOption, directoryOption],
  examples: [
    { command: "msgr stack down", what: "All of them" },
    { command: "msgr stack down --only server,kafka", what: "Some" },
  ],
  output: { schema: z.object({ directory: z.string(), stopped: stoppedDocument }), lines: false },
  exits: ["configuration", "locked"],
  run: down,
};

async function down(invocation: Invocation): Promise<ExitReason> {
  const { output } = invocation;
  const parts = partsOf(invocation);
  const { directory } = stackPlace(invocation);
  const stopped = await asCliErrors(() =>
    stopStack({ ...stackTools(invocation, lineProgress(output)), directory, parts }),
  );
  output.data({ directory, stopped }, () => stoppedText(stopped, directory));
  return "done";
}
