import { compareWithJournal, type MigrationStatus } from "../../migrate/compare.ts";
import type { Command } from "../command.ts";
import { storeOptions } from "../migrate/options.ts";
import { documentOf, statusDocument, statusText } from "../migrate/status-document.ts";
import { withStores } from "../migrate/with-stores.ts";

export const migrateStatusCommand: Command = {
  name: "migrate status",
  summary: "List every migration: applied, begun, pending, changed or newer than this version",
  options: storeOptions,
  examples: [
    { command: "msgr migrate status", what: "Both schemas; exit 5 unless everything is applied and unchanged" },
    { command: "msgr migrate status --only cql --json", what: "Cassandra alone, for a script" },
  ],
  output: { schema: statusDocument, lines: false },
  exits: ["configuration", "unreachable", "finding"],
  async run(invocation) {
    const { output } = invocation;
    const statuses = await withStores(invocation, async ({ schemas }) => {
      const found: MigrationStatus[] = [];
      for (const { store, migrations } of schemas) {
        found.push(...compareWithJournal(store.kind, migrations, await store.readJournal()));
      }
      return found;
    });
    output.data(documentOf(statuses), () => statusText(statuses, output));
    return statuses.every(({ state }) => state === "applied") ? "done" : "finding";
  },
};
