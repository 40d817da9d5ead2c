import { randomBytes } from "node:crypto";
import path from "node:path";
import { z } from "zod";
import { readStackFile, type StackFile, stackFileName } from "../../stack/stack-file.ts";
import { startStack } from "../../stack/start-stack.ts";
import { processesOf } from "../../stack/store-processes.ts";
import type { PartName } from "../../stack/versions.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { columnsOf, processDocument } from "../stack/process-table.ts";
import { createStackProgress } from "../stack/stack-progress.ts";
import { migrateStack, serverCountOf, serverProgram, serversOption } from "../stack/stack-servers.ts";
import {
  asCliErrors,
  directoryFlag,
  directoryOption,
  onlyOption,
  stackPlace,
  stackTools,
  storesOf,
} from "../stack/stack-options.ts";

export const stackUpCommand: Command = {
  name: "stack up",
  summary: "Start the real stores on this machine, and servers on them, without Docker",
  details:
    "Cassandra, PostgreSQL, Redis, Kafka, S3Proxy and nginx, on the loopback only. They go on running when the command and its\n" +
    "terminal have ended. What runs already is adopted; a port that is taken is replaced by the next free one. `msgr serve\n" +
    "--profile cluster` and the other commands find the addresses by themselves. Needs Java 17, Maven, redis-server and nginx.\n" +
    "With --servers the schemas are brought up to date as by `msgr migrate up`, and nginx balances over that many servers.",
  options: [
    onlyOption,
    serversOption,
    { flags: "--cassandra-nodes <n>", description: "nodes of the Cassandra cluster", choices: ["1", "3"] },
    directoryOption,
    { flags: "--any-port", description: "take free ports from anywhere, not those next to the usual ones" },
  ],
  examples: [
    { command: "msgr stack up --servers 2", what: "Everything: the stores, two servers, nginx in front of them" },
    { command: "msgr stack up", what: "The stores; then msgr migrate up, and msgr serve --profile cluster" },
    { command: "msgr stack up --only postgres,redis", what: "Those that need no Java" },
    { command: "msgr stack up --directory ./stack --any-port --json", what: "A second stack, for a script" },
  ],
  output: {
    schema: z.object({ directory: z.string(), file: z.string(), processes: z.array(processDocument) }),
    lines: false,
  },
  exits: ["configuration", "unreachable", "finding", "locked", "interrupted", "terminated"],
  run: up,
};

async function up(invocation: Invocation): Promise<ExitReason> {
  const { options, output, interrupted } = invocation;
  const stores = storesOf(invocation);
  const { directory, config } = stackPlace(invocation);
  const nodes = options["cassandraNodes"];
  const serverCount = serverCountOf(invocation);
  const known = readStackFile(directory);
  const hasServers = (serverCount ?? (known === undefined ? 0 : processesOf(known, "server").length)) > 0;
  const parts: readonly PartName[] = hasServers ? [...stores, "server"] : stores;
  const progress = createStackProgress(output, parts);
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
        serverCount,
        serverProgram: serverProgram(),
        otherServer: `127.0.0.1:${config.http.port}`,
        applyMigrations: () => migrateStack(invocation, directory),
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
  print(invocation, directory, parts, file);
  return "done";
}

function print({ output, environment }: Invocation, directory: string, parts: readonly PartName[], file: StackFile) {
  const processes = parts
    .flatMap((part) => processesOf(file, part))
    .map(({ name, version, pid, address, log }) => ({ name, version, pid, address, log }));
  const document = { directory, file: path.join(directory, stackFileName), processes };
  output.data(document, () => {
    const rows = processes.map(({ name, version, pid, address }) => [name, version, address, String(pid)]);
    const [head = "", ...lines] = columnsOf(["name", "version", "address", "pid"], rows);
    return [output.styleData("bold", head), ...lines].join("\n");
  });
  const { program } = environment;
  const flag = directoryFlag(directory, environment);
  const setting = flag === "" ? "" : `MSGR_STACK__DIRECTORY=${directory} `;
  const front = processes.find(({ name }) => name === "nginx") ?? processes.find(({ name }) => name === "server-1");
  output.talk(
    [
      "",
      "Next:",
      ...(parts.includes("server")
        ? [`  ${program} register alice --server http://${front?.address}`]
        : [`  ${setting}${program} migrate up`, `  ${setting}${program} serve --profile cluster`]),
      `  ${program} stack status${flag}`,
      `  ${program} stack down${flag}`,
    ].join("\n"),
  );
}
