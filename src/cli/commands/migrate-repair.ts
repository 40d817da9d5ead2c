import { z } from "zod";
import { changedMigrations, repair } from "../../migrate/repair.ts";
import type { SchemaKind } from "../../migrate/migration.ts";
import { CliError } from "../cli-error.ts";
import type { Command } from "../command.ts";
import { chosenVersion, kindSchema, lockTimeoutOption, storeOptions } from "../migrate/options.ts";
import { withStores } from "../migrate/with-stores.ts";

const repaired = z.object({
  changed: z.array(
    z.object({
      kind: kindSchema,
      version: z.int(),
      name: z.string(),
      applied_at: z.string(),
      by: z.string(),
      diff: z.string(),
      repaired: z.boolean(),
    }),
  ),
});

type Changed = z.infer<typeof repaired>["changed"][number];

export const migrateRepairCommand: Command = {
  name: "migrate repair",
  summary: "Show which applied files have changed, and take one as it is now",
  details:
    "For changes that do not change the schema: comments, blanks. The schema is not touched, only the journal; the time and\nwho did it are kept. A migration that was begun and not finished needs none: `msgr migrate up` goes on with it.",
  options: [
    ...storeOptions,
    { flags: "--confirm <NNNN>", description: "take this migration as its file is now; needs --only" },
    lockTimeoutOption,
  ],
  examples: [
    { command: "msgr migrate repair", what: "Show the differences; nothing is changed" },
    { command: "msgr migrate repair --only sql --confirm 0003", what: "From now on the file is what was applied" },
  ],
  output: { schema: repaired, lines: false },
  exits: ["configuration", "unreachable", "finding", "locked", "interrupted", "terminated"],
  async run(invocation) {
    const { options, output } = invocation;
    const isConfirmed = options["confirm"] !== undefined;
    const version = chosenVersion(invocation, "confirm");
    if (isConfirmed && options["only"] === undefined) {
      throw new CliError("usage", "--confirm needs --only: both schemas have such a number.", {
        fix: "Say --only cql or --only sql.",
      });
    }
    const changed = await withStores(invocation, async ({ schemas, acquire }) => {
      const found: Changed[] = [];
      for (const { store, migrations } of schemas) {
        for (const one of await changedMigrations(store, migrations)) {
          const isWanted = isConfirmed && one.migration.version === version;
          found.push(describe(store.kind, one, isWanted));
        }
        if (isConfirmed) await repair(store, migrations, version, acquire);
      }
      return found;
    });
    output.data({ changed }, () =>
      changed.length === 0 ? "No applied file has changed." : changed.map(textOf).join("\n"),
    );
    return changed.every((one) => one.repaired) ? "done" : "finding";
  },
};

function describe(
  kind: SchemaKind,
  one: Awaited<ReturnType<typeof changedMigrations>>[number],
  isRepaired: boolean,
): Changed {
  const { migration, appliedAt, appliedBy, diff } = one;
  const { version, name } = migration;
  return { kind, version, name, applied_at: appliedAt.toISOString(), by: appliedBy, diff, repaired: isRepaired };
}

function textOf({ kind, name, applied_at: at, by, diff, repaired: isRepaired }: Changed): string {
  const what = isRepaired ? "taken as it is now" : "changed since it was applied";
  return `${kind}/${name}.${kind}: ${what} (${at} by ${by})\n${diff}`;
}
