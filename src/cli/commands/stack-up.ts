import { randomBytes } from "node:crypto";
import path from "node:path";
import { z } from "zod";
import type { StackFile } from "../../stack/stack-file.ts";
import { stackFileName } from "../../stack/stack-file.ts";
import { startStack } from "../../stack/start-stack.ts";
import { processesOf } from "../../stack/store-processes.ts";
import type { StoreName } from "../../stack/versions.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { columnsOf, processDocument } from "../stack/process-table.ts";
import { createStackProgress } from "../stack/stack-progress.ts";
import { asCliErrors, directoryOption, onlyOption, stackPlace, stackTools, storesOf } from "../stack/stack-options.ts";

export const stackUpCommand: Command = {
  name: "stack up",
  summary: "Start the real stores on this machine, without Docker",
  details:
    "Cassandra, PostgreSQL, Redis, Kafka, S3Proxy and nginx, on the loopback only. They go on running when the command and its\n" +
    "terminal have ended. What runs already is adopted; a port that is taken is replaced by the next free one. `msgr serve\n" +
    "--profile cluster` and the other commands find the addresses by themselves. Needs Java 17, Maven, redis-server and nginx.",
  options: [
    onlyOption,
    { flags: "--cassandra-nodes <n>", description: "nodes of the Cassandra cluster", choices: ["1", "3"] },
    directoryOption,
    { flags: "--any-port", description: "take free ports from anywhere, not those next to the usual ones" },
  ],
  examples: [
    { command: "msgr stack up", what: "Everything; then msgr migrate up, and msgr serve --profile cluster" },
    { command: "msgr stack up --only postgres,redis", what: "Those that need no Java" },
    { command: "msgr stack up --directory ./stack --any-port --json", what: "A second stack, for a script" },
  ],
  output: {
    schema: z.object({ directory: z.string(), file: z.string(), processes: z.array(processDocument) }),
    lines: false,
  },
  exits: ["configuration", "unreachable", "locked", "interrupted", "terminated"],
  run: up,
};

async function up(invocation: Invocation): Promise<ExitReason> {
  const { options, output, interrupted } = invocation;
  const stores = storesOf(invocation);
  const { directory, config } = stackPlace(invocation);
  const nodes = options["cassandraNodes"];
  const progress = createStackProgress(output, stores);
  const startedAtMs = performance.now();
  let file: StackFile;
  try {
    file = await asCliErrors(() =>
      startStack({
        ...stackTools(invocation, progress),
        directory,
        stores,
        cassandraNodes: typeof nodes === "string" ? Number(nodes) : undefined,
        anyPort: options["anyPort"] === true,
        servers: [`127.0.0.1:${config.http.port}`],
        makeUp: (bytes) => randomBytes(bytes).toString("hex"),
      }),
    );
  } catch (error) {
    await progress.end();
    if (!interrupted.aborted) throw error;
    output.talk("Interrupted: what this command had started is stopped.");
    return interrupted.reason === "SIGTERM" ? "terminated" : "interrupted";
  }
  await progress.end();
  output.talk(`Ready after ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s.`);
  print(invocation, directory, stores, file);
  return "done";
}

function print({ output, environment }: Invocation, directory: string, stores: readonly StoreName[], file: StackFile) {
  const processes = stores
    .flatMap((store) => processesOf(file, store))
    .map(({ name, version, pid, address, log }) => ({ name, version, pid, address, log }));
  const document = { directory, file: path.join(directory, stackFileName), processes };
  output.data(document, () => {
    const rows = processes.map(({ name, version, pid, address }) => [name, version, address, String(pid)]);
    const [head = "", ...lines] = columnsOf(["name", "version", "address", "pid"], rows);
    return [output.styleData("bold", head), ...lines].join("\n");
  });
  const { program } = environment;
  const isDefault = directory.startsWith(environment.folders.state);
  const setting = isDefault ? "" : `MSGR_STACK__DIRECTORY=${directory} `;
  const flag = isDefault ? "" : ` --directory ${directory}`;
  output.talk(
    [
      "",
      "Next:",
      `  ${setting}${program} migrate up`,
      `  ${setting}${program} serve --profile cluster`,
      `  ${program} stack status${flag}`,
      `  ${program} stack down${flag}`,
    ].join("\n"),
  );
}
