import { existsSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { createMigration } from "../../migrate/create-migration.ts";
import { schemaKinds, type SchemaKind } from "../../migrate/migration.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import { explainMigrateError } from "../migrate/explain-migrate-error.ts";
import { chosenDirectory, directoryOption } from "../migrate/options.ts";

const created = z.object({ file: z.string() });

export const migrateCreateCommand: Command = {
  name: "migrate create",
  summary: "Write the next migration file, with a table to begin from",
  arguments: [
    { name: "kind", description: "cql or sql", required: true },
    { name: "name", description: "what it is about: lower-case letters, digits and _", required: true },
  ],
  options: [directoryOption],
  examples: [
    { command: "msgr migrate create sql invitations", what: "sql/0007_invitations.sql, if 0006 is the newest" },
    { command: "msgr migrate create cql reactions --directory .", what: "cql/ of the working directory" },
  ],
  output: { schema: created, lines: false },
  exits: [],
  async run(invocation) {
    const kind = schemaKinds.find((known) => known === invocation.arguments["kind"]);
    if (kind === undefined) {
      throw new CliError("usage", `${String(invocation.arguments["kind"])} is no kind of migration.`, {
        fix: "Write cql (Cassandra) or sql (PostgreSQL).",
      });
    }
    try {
      const file = await createMigration(folderFor(kind, invocation), kind, String(invocation.arguments["name"]));
      invocation.output.data({ file }, () => file);
      return "done";
    } catch (error) {
      throw explainMigrateError(error, invocation.interrupted);
    }
  },
};

/** Files are written where somebody works, never into an installed package. */
function folderFor(kind: SchemaKind, invocation: Invocation): string {
  if (invocation.options["directory"] !== undefined) return chosenDirectory(invocation);
  const here = invocation.environment.workingDirectory;
  if (existsSync(path.join(here, kind))) return here;
  throw new CliError("usage", `There is no ${kind}/ in ${here}.`, {
    fix: "Go to the root of the repository, or say --directory.",
  });
}
