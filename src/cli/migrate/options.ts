import { existsSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { schemaKinds, type SchemaKind } from "../../migrate/migration.ts";
import { packageMigrations } from "../../migrate/read-migrations.ts";
import { CliError } from "../cli-error.ts";
import type { CommandOption, Invocation } from "../command.ts";

export const kindSchema = z.enum(schemaKinds);

export const onlyOption: CommandOption = {
  flags: "--only <kind>",
  description: "cql = Cassandra alone, sql = PostgreSQL alone",
  choices: [...schemaKinds],
};

export const directoryOption: CommandOption = {
  flags: "--directory <dir>",
  description: "folder with cql/ and sql/ instead of the ones of this version",
};

export const toOption: CommandOption = { flags: "--to <NNNN>", description: "stop after this migration" };

export const lockTimeoutOption: CommandOption = {
  flags: "--lock-timeout <time>",
  description: "how long to wait for another runner, 0 = not at all (default 90s)",
};

/** What every command takes that talks to the stores. */
export const storeOptions: readonly CommandOption[] = [
  onlyOption,
  directoryOption,
  { flags: "--config <file>", description: "read this file instead of ./msgr.yaml" },
  { flags: "--set <setting=value>", description: "any other setting; see `msgr config show`", repeatable: true },
];

export function chosenKinds({ options }: Pick<Invocation, "options">): readonly SchemaKind[] {
  return options["only"] === undefined ? schemaKinds : schemaKinds.filter((kind) => kind === options["only"]);
}

/** Throws CliError when a folder was named that is not there. */
export function chosenDirectory({ options, environment }: Pick<Invocation, "options" | "environment">): string {
  const named = options["directory"];
  if (typeof named !== "string") return packageMigrations;
  const directory = path.resolve(environment.workingDirectory, named);
  if (existsSync(directory)) return directory;
  throw new CliError("usage", `--directory ${named}: no such folder.`, {
    fix: "Name the folder that has cql/ and sql/.",
  });
}

/** Of `--to 3` or `--to 0003`; Infinity when it was left out. Throws CliError. */
export function chosenVersion({ options }: Pick<Invocation, "options">, name: "to" | "confirm"): number {
  const text = options[name];
  if (text === undefined) return Infinity;
  if (typeof text === "string" && /^\d{1,4}$/.test(text)) return Number(text);
  throw new CliError("usage", `--${name} ${String(text)} is not the number of a migration.`, {
    fix: "Write 3 or 0003.",
  });
}
