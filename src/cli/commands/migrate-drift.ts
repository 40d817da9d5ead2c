import { z } from "zod";
import { findDrift } from "../../migrate/drift.ts";
import { silentObserver } from "../../migrate/schema-store.ts";
import type { Command } from "../command.ts";
import { kindSchema, storeOptions } from "../migrate/options.ts";
import { withStores } from "../migrate/with-stores.ts";

const drift = z.object({
  drift: z.array(
    z.object({ kind: kindSchema, object: z.string(), live: z.string().nullable(), replayed: z.string().nullable() }),
  ),
});

export const migrateDriftCommand: Command = {
  name: "migrate drift",
  summary: "Compare the live schemas with what their migrations make anew",
  details:
    "Makes a shadow keyspace and a shadow database beside the live ones, applies what the journal says was applied, compares\ntable by table, and drops them again. Needs the right to make them.",
  options: storeOptions,
  examples: [
    { command: "msgr migrate drift", what: "What somebody changed by hand; exit 5 if there is anything" },
    { command: "msgr migrate drift --only cql --json", what: "Cassandra alone, for a script" },
  ],
  output: { schema: drift, lines: false },
  exits: ["configuration", "unreachable", "finding", "interrupted", "terminated"],
  async run(invocation) {
    const found = await withStores(invocation, async ({ schemas, choice, acquire }) => {
      const all: z.infer<typeof drift>["drift"] = [];
      for (const { store, migrations } of schemas) {
        const drifts = await findDrift(store, migrations, choice, { ...acquire, observer: silentObserver });
        for (const { object, live, replayed } of drifts) {
          all.push({ kind: store.kind, object, live: live ?? null, replayed: replayed ?? null });
        }
      }
      return all;
    });
    invocation.output.data({ drift: found }, () =>
      found.length === 0
        ? "The live schemas are what their migrations make."
        : found
            .map(({ kind, object, live, replayed }) => `${kind} ${object}: ${differenceText(live, replayed)}`)
            .join("\n"),
    );
    return found.length === 0 ? "done" : "finding";
  },
};

function differenceText(live: string | null, replayed: string | null): string {
  if (replayed === null) return "no migration makes it";
  if (live === null) return "it is missing";
  return `\n  live:       ${live}\n  migrations: ${replayed}`;
}
