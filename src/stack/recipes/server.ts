import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { probeHttp } from "../probes/probes.ts";
import { baseEnvironment, loopback, type PlannedProcess, portOf, type Recipe, type RecipeContext } from "./recipe.ts";

/** More than one machine has cores for. */
export const serversMax = 8;

const firstPort = 8080;
const drainMsDefault = 2_000;

/** Settings of the caller that his servers are to have; where the stores are, the stack knows better. */
const passedOn =
  /^MSGR_(?:LIMITS|DRAIN|LOG)__|^MSGR_HTTP__CONNECTIONS_MAX$|^MSGR_MEDIA__(?:URL_TTL_SECONDS|ORPHAN_HOURS)$/;

/**
 * Words after `msgr`. The addresses and secrets of the stores come by stack.json, which the server reads itself. It stands
 * behind one proxy, and drains faster than it would for real clients.
 */
export function serverArguments(port: number, adminPort: number, tokenFile: string): readonly string[] {
  return [
    "serve",
    ["--profile", "cluster"],
    ["--host", loopback, "--port", String(port)],
    ["--admin-port", String(adminPort), "--admin-token-file", tokenFile],
    ["--set", "http.proxies_trusted=1"],
  ].flat();
}

/** Nothing of the user's own configuration: it may be about another cluster. */
export function serverEnvironment(
  variables: RecipeContext["variables"],
  directory: string,
  folder: string,
): Record<string, string> {
  const own = Object.entries(variables).filter(([name, value]) => passedOn.test(name) && value !== undefined);
  return {
    ...baseEnvironment(variables),
    XDG_CONFIG_HOME: folder,
    MSGR_STACK__DIRECTORY: directory,
    MSGR_DRAIN__SPREAD_MS: String(drainMsDefault),
    ...Object.fromEntries(own as [string, string][]),
  };
}

export const serverRecipe: Recipe = {
  part: "server",
  stopSignal: "SIGTERM",
  probe: probeHttp("/readyz", (status) => status === 200),
  readyWithinMs: 60_000,
  ports: (processes) =>
    numbersTo(processes).flatMap((number) => {
      const own = { process: `server-${number}`, hosts: [loopback] };
      const preferred = firstPort + 2 * (number - 1);
      return [
        { ...own, name: `server.${number}`, preferred },
        { ...own, name: `server.${number}-admin`, preferred: preferred + 1 },
      ];
    }),
  prepare: (context) => Promise.resolve(numbersTo(context.serverCount).map((number) => plan(context, number))),
  // Clients know them by nginx.
  settings: () => ({}),
};

function plan(context: RecipeContext, number: number): PlannedProcess {
  const { directory, serverProgram, variables, secrets } = context;
  const name = `server-${number}`;
  const folder = path.join(directory, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const tokenFile = path.join(folder, "admin-token");
  writeFileSync(tokenFile, `${secrets.adminToken}\n`, { mode: 0o600 });
  const port = portOf(context, `server.${number}`);
  const adminPort = portOf(context, `server.${number}-admin`);
  return {
    name,
    version: serverProgram.version,
    address: { host: loopback, port },
    health: { host: loopback, port: adminPort },
    launch: {
      command: serverProgram.command,
      arguments: [...serverProgram.arguments, ...serverArguments(port, adminPort, tokenFile)],
      environment: serverEnvironment(variables, directory, folder),
      workingDirectory: folder,
    },
  };
}

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}
