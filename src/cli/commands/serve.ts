import cluster from "node:cluster";
import type { ResolvedConfig } from "../../server/config/resolve-config.ts";
import type { NodeAddresses } from "../../server/node.ts";
import type { Command, Invocation } from "../command.ts";
import type { ExitReason } from "../exit-codes.ts";
import { readyDocument, type ReadyDocument } from "../serve/ready-document.ts";
import { runServer } from "../serve/run-server.ts";
import { readServeRequest, type ServeRequest } from "../serve/serve-request.ts";
import { asksToLeave, createServerLog } from "../serve/server-log.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "Run the server",
  details:
    "Embedded, everything is kept in one folder, by one process; in the cluster profile, in the real stores, by any number\nof processes: start it on several machines, or with --workers several times on one port. SIGTERM or Ctrl-C asks clients\nto reconnect, answers what is in flight and leaves; a second one leaves at once. SIGHUP reads log.level and limits.preset\nagain. With --workers, SIGUSR2 puts a new process in the place of each worker, one after the other.",
  options: [
    { flags: "--dev", description: "try it: demo users, data in .msgr/dev, any free port, no long drain" },
    {
      flags: "--profile <name>",
      description: "embedded = everything in this process; cluster = on the real stores (profile)",
      choices: ["embedded", "cluster"],
    },
    {
      flags: "--workers <n>",
      description: "so many processes on the one port, restarted when they die (cluster profile)",
    },
    { flags: "--data <dir>", description: "folder of everything durable (data.directory)" },
    { flags: "--host <address>", description: "address to listen on (http.host)" },
    { flags: "--port <n>", description: "port to listen on, 0 = any free one (http.port)" },
    { flags: "--admin-port <n>", description: "open the administrative port there (admin.port); each worker has one" },
    { flags: "--admin-token-file <file>", description: "secret of the administrative port (admin.token_file)" },
    { flags: "--limits <preset>", description: "rate limits: default, bench or off (limits.preset)" },
    { flags: "--log-level <level>", description: "least severe level that is logged (log.level)" },
    { flags: "--config <file>", description: "read this file instead of ./msgr.yaml" },
    { flags: "--set <setting=value>", description: "any other setting; see `msgr config show`", repeatable: true },
  ],
  examples: [
    { command: "msgr serve --dev", what: "A server to play with: two users, and the lines to chat with them" },
    { command: "msgr serve --data /var/lib/msgr --host 0.0.0.0 --port 8080", what: "A server for a team" },
    { command: "msgr serve --profile cluster", what: "A server on the stores of `msgr stack up`, or those configured" },
    { command: "msgr serve --profile cluster --workers 4", what: "The same with four processes on one port" },
    { command: "msgr serve --data ./d --port 0 --json", what: "For scripts: one line of JSON once it is ready" },
  ],
  output: { schema: readyDocument, lines: true },
  exits: ["configuration", "unreachable", "finding", "locked"],
  run: serve,
};

async function serve(invocation: Invocation): Promise<ExitReason> {
  if (cluster.isWorker) return (await import("../serve/run-worker.ts")).runWorker(invocation);
  const request = readServeRequest(invocation);
  if (request.workers === undefined) await serveAlone(invocation, request);
  else await (await import("../serve/run-supervisor.ts")).runSupervisor(invocation, request, request.workers);
  return "done";
}

async function serveAlone(invocation: Invocation, request: ServeRequest): Promise<void> {
  const { output, environment, interrupted } = invocation;
  const { dev, resolved } = request;
  const anyPort = dev && resolved.origins.get("http.port") === undefined;
  await runServer({
    request,
    log: await createServerLog(invocation, resolved.config),
    start: { anyPort },
    drainAsked: asksToLeave(interrupted),
    async onServing({ context }, addresses) {
      const demo = dev ? await (await import("../demo-users.ts")).makeDemoUsers(context) : undefined;
      announce(invocation, resolved, context.nodeId, addresses);
      const { program } = environment;
      const place = { url: addresses.url, dataDirectory: resolved.config.data.directory, program };
      if (demo !== undefined) output.talk(demo.box({ ...place, columns: output.columns }));
    },
  });
}

function announce({ output }: Invocation, { config }: ResolvedConfig, node: string, addresses: NodeAddresses): void {
  if (!output.json) {
    const admin = addresses.adminUrl === undefined ? "" : `, administration on ${addresses.adminUrl}`;
    const data = config.profile === "embedded" ? `Data: ${config.data.directory}` : "Data: in the stores";
    output.talk(`Ready on ${addresses.url}${admin}. ${data}. Ctrl-C stops.`);
    return;
  }
  const { url, adminUrl } = addresses;
  const document: ReadyDocument = {
    event: "ready",
    url,
    ...(adminUrl === undefined ? {} : { admin_url: adminUrl }),
    profile: config.profile,
    ...(config.profile === "embedded" ? { data_directory: config.data.directory } : {}),
    node,
    pid: process.pid,
  };
  output.data(document, () => "");
}
