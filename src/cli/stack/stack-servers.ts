import path from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { ServerProgram } from "../../stack/recipes/recipe.ts";
import { serversMax } from "../../stack/recipes/server.ts";
import { versionOf } from "../chat/version.ts";
import { CliError } from "../cli-error.ts";
import type { CommandOption, Invocation } from "../command.ts";

export const serversOption: CommandOption = {
  flags: "--servers <n>",
  description: `servers of msgr on the stores, behind nginx, up to ${serversMax}; default: as many as there are`,
};

/** undefined = as many as there are. */
export function serverCountOf({ options }: Pick<Invocation, "options">): number | undefined {
  const text = options["servers"];
  if (text === undefined) return undefined;
  const count = z.coerce.number().int().min(0).max(serversMax).safeParse(text);
  if (count.success) return count.data;
  throw new CliError("usage", `--servers: ${String(text)} is not a number from 0 to ${serversMax}.`);
}

/** This very msgr, on the Node that runs it. */
export function serverProgram(): ServerProgram {
  const launcher = fileURLToPath(new URL("../../../bin/msgr", import.meta.url));
  return { command: process.execPath, arguments: [launcher], version: versionOf() };
}

/** Brings the schemas of the stack's stores to this version; answers what was done. */
export async function migrateStack(invocation: Invocation, directory: string): Promise<string> {
  const [{ withStores }, { applyMigrations, appliedText }] = await Promise.all([
    import("../migrate/with-stores.ts"),
    import("../migrate/apply-migrations.ts"),
  ]);
  const own = onStack(invocation, directory);
  const applied = await withStores(own, (session) => applyMigrations(session, Infinity, own.output));
  return appliedText(applied.length);
}

/** The command without what its user has configured: that may be about another cluster than this stack. */
function onStack(invocation: Invocation, directory: string): Invocation {
  const { environment } = invocation;
  const others = Object.entries(environment.variables).filter(([name]) => !name.startsWith("MSGR_"));
  return {
    ...invocation,
    options: {},
    environment: {
      program: environment.program,
      variables: { ...Object.fromEntries(others), MSGR_STACK__DIRECTORY: directory },
      workingDirectory: directory,
      folders: { ...environment.folders, config: path.join(directory, "server-1") },
    },
  };
}
