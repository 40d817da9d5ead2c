import { z } from "zod";
import { compareWithJournal, refuseForeign } from "../../migrate/compare.ts";
import { migrateUp } from "../../migrate/migrate-up.ts";
import { loadSqlParser } from "../../migrate/sql/scan.ts";
import type { Command } from "../command.ts";
import { chosenVersion, kindSchema, lockTimeoutOption, storeOptions, toOption } from "../migrate/options.ts";
import { refuseLint } from "../migrate/refuse-lint.ts";
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
    const document: z.infer<typeof applied> = await withStores(invocation, async ({ schemas, acquire }) => {
      await loadSqlParser();
      // Everything that can be refused is refused before the first statement of either store.
      for (const { store, migrations } of schemas) {
        const statuses = compareWithJournal(store.kind, migrations, await store.readJournal());
        refuseForeign(statuses);
        refuseLint(statuses, to, output);
      }
      const done: z.infer<typeof applied>["applied"] = [];
      for (const { store, migrations } of schemas) {
        const due = await migrateUp(store, migrations, { ...acquire, to });
        done.push(...due.map(({ kind, version, name }) => ({ kind, version, name })));
      }
      return { applied: done };
    });
    const count = document.applied.length;
    output.data(document, () =>
      count === 0
        ? "Nothing to do: the schemas are up to date."
        : `Applied ${count} migration${count === 1 ? "" : "s"}.`,
    );
    return "done";
  },
};
