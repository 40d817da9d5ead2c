import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { startOf } from "../../base/process-identity.ts";
import { freshFolder } from "../files/fresh-folder.ts";
import { probePostgres } from "../probes/probes.ts";
import { runTool } from "../processes/run-tool.ts";
import { StackError } from "../stack-error.ts";
import { versions } from "../versions.ts";
import { type Account, canReach, postgresAccount, type RunAs, runAs } from "./postgres-account.ts";
import { findPostgres, type PostgresPrograms } from "./postgres-programs.ts";
import { baseEnvironment, loopback, portOf, type Recipe, type RecipeContext } from "./recipe.ts";

const databaseName = "msgr";
const userName = "msgr";
const initWithinMs = 60_000;

/** Loopback only and no socket file, so that the length of a path does not matter. */
export function postgresArguments(data: string, port: number): readonly string[] {
  const set = {
    listen_addresses: loopback,
    port: String(port),
    unix_socket_directories: "",
    max_connections: "300",
    shared_buffers: "128MB",
    // Statements of clients may hold what must not be in a log.
    log_min_error_statement: "panic",
  };
  return ["-D", data, ...Object.entries(set).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
}

/** The same order and encoding of text on every machine, whatever its locales are. */
export function initdbArguments(data: string, passwordFile: string): readonly string[] {
  return [
    `--pgdata=${data}`,
    `--username=${userName}`,
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
  ];
}

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly account: Account | undefined;
  as(command: string, words: readonly string[]): RunAs;
}

function placeOf(directory: string, programs: PostgresPrograms): Place {
  const folder = path.join(directory, "postgres");
  const account = postgresAccount();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const reachable = account === undefined || (canReach(account, folder) && canReach(account, programs.postgres));
  return {
    folder,
    data: path.join(folder, "data"),
    account,
    as: (command, words) => runAs(account, reachable, command, words),
  };
}

/**
 * Makes the data folder, with the database in it. Under another name until it is done: one that was killed half-way is
 * thrown away, not started.
 */
async function initialise(place: Place, programs: PostgresPrograms, context: RecipeContext): Promise<void> {
  if (existsSync(place.data)) return;
  const fresh = freshFolder(place.folder);
  const passwordFile = path.join(place.folder, "password");
  writeFileSync(passwordFile, `${context.secrets.postgresPassword}\n`, { mode: 0o600 });
  if (place.account !== undefined) chownSync(passwordFile, place.account.uid, place.account.gid);
  try {
    await run(place, place.as(programs.initdb, initdbArguments(fresh, passwordFile)), "", context);
    // Single-user mode: no server has to be started and asked for that.
    const single = place.as(programs.postgres, ["--single", "-D", fresh, "postgres"]);
    await run(place, single, `CREATE DATABASE ${databaseName}\n`, context);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(fresh, place.data);
}

/**
 * A server that was killed leaves its pid behind, and PostgreSQL looks only whether that pid is somebody: a dead process
 * that nobody has reaped yet (containers without an init) would keep it from starting for ever.
 */
function removeDeadPid(data: string): void {
  const file = path.join(data, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, "utf8"), 10);
  if (Number.isInteger(pid) && startOf(pid) === undefined) rmSync(file, { force: true });
}

async function run(place: Place, tool: RunAs, input: string, context: RecipeContext): Promise<void> {
  const result = await runTool(tool.command, tool.arguments, {
    environment: baseEnvironment(context.variables),
    timeoutMs: initWithinMs,
    workingDirectory: place.folder,
    input,
    signal: context.signal,
    ...(tool.account === undefined ? {} : { account: tool.account }),
  });
  if (result.code === 0 && !/\b(?:ERROR|FATAL|PANIC):/.test(result.said)) return;
  const lines = result.said.trim().split("\n");
  const line = lines.find((text) => /error|fatal|panic/i.test(text)) ?? lines.at(-1) ?? "";
  const fix = /no space left/i.test(result.said)
    ? "Make room on the disk, or name another folder with --directory."
    : `Name a folder that every user may pass through, such as --directory /var/tmp/msgr-stack.`;
  throw new StackError("failed", `PostgreSQL's data could not be prepared: ${line}`, fix);
}

export const postgresRecipe: Recipe = {
  part: "postgres",
  // Fast shutdown: SIGTERM would wait until every client has left by itself.
  stopSignal: "SIGINT",
  probe: probePostgres,
  readyWithinMs: 60_000,
  ports: () => [{ name: "postgres", preferred: 5432, hosts: [loopback] }],
  async prepare(context, onProgress) {
    const programs = findPostgres();
    const place = placeOf(context.directory, programs);
    onProgress("preparing its data");
    await initialise(place, programs, context);
    removeDeadPid(place.data);
    const port = portOf(context, "postgres");
    return [
      {
        name: "postgres",
        version: versions.postgres.exactly,
        address: { host: loopback, port },
        launch: {
          ...place.as(programs.postgres, postgresArguments(place.data, port)),
          environment: baseEnvironment(context.variables),
          workingDirectory: place.folder,
        },
      },
    ];
  },
  settings: (context) => ({
    "postgres.url": `postgres://${userName}@${loopback}:${portOf(context, "postgres")}/${databaseName}`,
    "postgres.password": context.secrets.postgresPassword,
  }),
};
