import { z } from "zod";
import { DataFolderError } from "../../stores/lmdb/errors.ts";
import type { ResolvedConfig } from "../../server/config/resolve-config.ts";
import type { NodeAddresses } from "../../server/node.ts";
import { StoreError } from "../../base/store-error.ts";
import { CliError } from "../cli-error.ts";
import { explainStoreError } from "../explain-store-error.ts";
import type { Command, Invocation } from "../command.ts";
import { configError, loadConfig, type ConfigRequest } from "../load-config.ts";

const ready = z.object({
  event: z.literal("ready"),
  url: z.string(),
  admin_url: z.string().optional(),
  profile: z.enum(["embedded", "cluster"]),
  /** Embedded profile only. */
  data_directory: z.string().optional(),
  node: z.string(),
  pid: z.number(),
});

export const serveCommand: Command = {
  name: "serve",
  summary: "Run the server",
  details:
    "Embedded, everything is kept in one folder, by one process; in the cluster profile, in the real stores, by any number\nof processes. SIGTERM or Ctrl-C asks clients to reconnect, answers what is in\nflight and leaves; a second one leaves at once. SIGHUP reads log.level and limits.preset again.",
  options: [
    { flags: "--dev", description: "try it: demo users, data in .msgr/dev, any free port, no long drain" },
    {
      flags: "--profile <name>",
      description: "embedded = everything in this process; cluster = on the real stores (profile)",
      choices: ["embedded", "cluster"],
    },
    { flags: "--data <dir>", description: "folder of everything durable (data.directory)" },
    { flags: "--host <address>", description: "address to listen on (http.host)" },
    { flags: "--port <n>", description: "port to listen on, 0 = any free one (http.port)" },
    { flags: "--admin-port <n>", description: "open the administrative port there (admin.port)" },
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
    { command: "msgr serve --data ./d --port 0 --json", what: "For scripts: one line of JSON once it is ready" },
  ],
  output: { schema: ready, lines: true },
  exits: ["configuration", "unreachable", "finding", "locked"],
  run: serve,
};

async function serve(invocation: Invocation): Promise<"done"> {
  const { options, output, environment, interrupted } = invocation;
  const dev = options["dev"] === true;
  const request = requestOf(options, dev);
  const resolved = loadConfig(request, environment);
  if ("problems" in resolved) throw configError(resolved.problems);
  const { config } = resolved;
  if (dev && config.profile === "cluster") {
    throw new CliError("usage", "--dev is a server of the embedded profile.", {
      fix: "Leave out --dev to run on the real stores, or say --profile embedded.",
    });
  }
  const [{ createLogger }, { openServer }] = await Promise.all([
    import("../../base/logger.ts"),
    import("../../server/open-server.ts"),
  ]);
  const pretty = config.log.format === "pretty" || (config.log.format === "auto" && output.stderrIsTerminal);
  const log = createLogger({
    level: config.log.level,
    format: pretty ? "pretty" : "json",
    destination: output.talkSink,
  });
  if (config.profile === "cluster") await refusePending(config);
  const server = await openServer(resolved, log).catch((error: unknown) => Promise.reject(explain(error, resolved)));
  process.on("SIGHUP", reload);
  try {
    const anyPort = dev && resolved.origins.get("http.port") === undefined;
    const addresses = await server.node.start({ anyPort });
    const demo = dev ? await (await import("../demo-users.ts")).makeDemoUsers(server.context) : undefined;
    announce(invocation, resolved, server.context.nodeId, addresses);
    if (demo !== undefined) output.talk(demo.box(placeOf(addresses)));
    await new Promise<void>((resolve) => {
      if (interrupted.aborted) resolve();
      interrupted.addEventListener("abort", () => resolve());
      server.node.onDrainAsked = resolve;
    });
    await server.node.drain();
    return "done";
  } catch (error) {
    throw explain(error, resolved);
  } finally {
    process.removeListener("SIGHUP", reload);
    await server.node.destroy();
    log.flush();
  }

  function placeOf({ url }: NodeAddresses) {
    return { url, dataDirectory: config.data.directory, program: environment.program, columns: output.columns };
  }

  function reload(): void {
    const again = loadConfig(request, environment);
    if ("problems" in again) log.error({ problems: again.problems }, "The configuration is wrong; nothing was changed");
    else server.reconfigure(again.config);
  }
}

function requestOf(options: Invocation["options"], dev: boolean): ConfigRequest {
  const flagOf: Readonly<Record<string, readonly [path: string, flag: string]>> = {
    profile: ["profile", "--profile"],
    data: ["data.directory", "--data"],
    host: ["http.host", "--host"],
    port: ["http.port", "--port"],
    adminPort: ["admin.port", "--admin-port"],
    adminTokenFile: ["admin.token_file", "--admin-token-file"],
    limits: ["limits.preset", "--limits"],
    logLevel: ["log.level", "--log-level"],
  };
  const flags = Object.entries(flagOf).flatMap(([name, [path, flag]]) => {
    const text = options[name];
    return typeof text === "string" ? [{ path, text, flag }] : [];
  });
  if (options["adminPort"] !== undefined) flags.push({ path: "admin.enabled", text: "true", flag: "--admin-port" });
  return {
    flags,
    set: (options["set"] ?? []) as string[],
    file: options["config"] as string | undefined,
    dev: dev ? devFallbacks : undefined,
  };
}

/** What --dev means where nothing else was said. */
const devFallbacks = [
  { path: "data.directory", value: ".msgr/dev", origin: "--dev" },
  { path: "drain.spread_ms", value: 0, origin: "--dev" },
  { path: "log.level", value: "warn", origin: "--dev" },
];

function announce({ output }: Invocation, { config }: ResolvedConfig, node: string, addresses: NodeAddresses): void {
  if (!output.json) {
    const admin = addresses.adminUrl === undefined ? "" : `, administration on ${addresses.adminUrl}`;
    const data = config.profile === "embedded" ? `Data: ${config.data.directory}` : "Data: in the stores";
    output.talk(`Ready on ${addresses.url}${admin}. ${data}. Ctrl-C stops.`);
    return;
  }
  const { url, adminUrl } = addresses;
  const document: z.infer<typeof ready> = {
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

/** A server of this version works on the schema of this version: not on less, and not on more. */
async function refusePending(config: ResolvedConfig["config"]): Promise<void> {
  const [{ pendingMigrations }, { migrationsFinding }] = await Promise.all([
    import("../../migrate/pending.ts"),
    import("../doctor/check-migrations.ts"),
  ]);
  const pending = await pendingMigrations(config).catch((error: unknown) => Promise.reject(explainStoreError(error)));
  const { state, message, fix } = migrationsFinding(pending);
  if (state === "ok") return;
  throw new CliError(
    "finding",
    `The server does not start on this schema: ${message}.`,
    fix === undefined ? {} : { fix },
  );
}

/** What starting a server can run into, with its exit and its fix. */
function explain(error: unknown, { config }: ResolvedConfig): unknown {
  if (error instanceof StoreError) return explainStoreError(error);
  if (error instanceof DataFolderError) {
    const exit = error.code === "folder_in_use" ? "locked" : error.code === "data_damaged" ? "failed" : "configuration";
    return new CliError(exit, error.message, { fix: error.fix, cause: error });
  }
  if (!(error instanceof Error)) return error;
  if (error.name === "PortTakenError") {
    const fix = "Stop the process that has it, or choose another with --port (0 = any free one).";
    return new CliError("locked", error.message, { fix, cause: error });
  }
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    const what = `Cannot listen on ${config.http.host}:${config.http.port} (${code}).`;
    return new CliError("configuration", what, {
      fix: "Choose an address of this machine and a port above 1023.",
      cause: error,
    });
  }
  return error;
}
