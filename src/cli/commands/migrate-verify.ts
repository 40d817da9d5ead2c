import { z } from "zod";
import { verifySchema, type SchemaProblem } from "../../migrate/verify-schema.ts";
import type { Command } from "../command.ts";
import { storeOptions } from "../migrate/options.ts";
import { withStores } from "../migrate/with-stores.ts";

const problems = z.object({ problems: z.array(z.object({ place: z.string(), what: z.string() })) });

export const migrateVerifyCommand: Command = {
  name: "migrate verify",
  summary: "Check that applied files are unchanged and that what they promise still holds",
  options: storeOptions,
  examples: [
    { command: "msgr migrate verify", what: "Checksums and verify parts of both schemas; exit 5 if one is wrong" },
    { command: "msgr migrate verify --only sql --json", what: "PostgreSQL alone, for a script" },
  ],
  output: { schema: problems, lines: false },
  exits: ["configuration", "unreachable", "finding"],
  async run(invocation) {
    const found = await withStores(invocation, async ({ schemas }) => {
      const all: SchemaProblem[] = [];
      for (const { store, migrations } of schemas) all.push(...(await verifySchema(store, migrations)));
      return all;
    });
    invocation.output.data({ problems: found }, () =>
      found.length === 0
        ? "Every applied migration is unchanged and holds."
        : found.map(({ place, what }) => `${place}: ${what}`).join("\n"),
    );
    return found.length === 0 ? "done" : "finding";
  },
};
