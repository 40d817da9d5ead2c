import { z } from "zod";
import type { Command } from "../command.ts";
import { appliedText, applyMigrations } from "../migrate/apply-migrations.ts";
import { chosenVersion, kindSchema, lockTimeoutOption, storeOptions, toOption } from "../migrate/options.ts";
import { withStores } from "../migrate/with-stores.ts";

const applied = z.object({
  applied: z.array(z.object({ kind: kindSchema, version: z.int(), name: z.string() })),
});

export const migrateUpCommand: Command = {
  name: "migrate up",
  summary: "Apply the migrations that the stores lack",
  details:
    "Makes the keyspace and the database where they are missing. One runner works at a time: another waits for it. What was\nkilled in the middle is completed by the next run. The linter looks at what is about to run; see `msgr migrate lint`.",
  options: [...storeOptions, toOption, lockTimeoutOption],
  examples: [
    { command: "msgr migrate up", what: "Bring both schemas to this version" },
    { command: "msgr migrate up --only sql --to 0003", what: "PostgreSQL alone, no further than 0003" },
    { command: "msgr migrate up --lock-timeout 0", what: "Leave at once with exit 6 if another runner is at work" },
  ],
  output: { schema: applied, lines: false },
  exits: ["configuration", "unreachable", "finding", "locked", "interrupted", "terminated"],
  async run(invocation) {
    const { output } = invocation;
    const to = chosenVersion(invocation, "to");
    const document: z.infer<typeof applied> = await withStores(invocation, async (session) => ({
      applied: await applyMigrations(session, to, output),
    }));
    output.data(document, () => appliedText(document.applied.length));
    return "done";
  },
};
