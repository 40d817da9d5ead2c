import { z } from "zod";
import type { JournalEntry, SchemaKind } from "../../migrate/migration.ts";
import type { Command } from "../command.ts";
import { kindSchema, storeOptions } from "../migrate/options.ts";
import { alignColumns } from "../migrate/status-document.ts";
import { withStores } from "../migrate/with-stores.ts";

const history = z.object({
  history: z.array(
    z.object({
      at: z.string(),
      kind: kindSchema,
      name: z.string(),
      event: z.enum(["begun", "applied", "repaired"]),
      by: z.string(),
      took_ms: z.int().nullable(),
    }),
  ),
});

type Event = z.infer<typeof history>["history"][number];

export const migrateHistoryCommand: Command = {
  name: "migrate history",
  summary: "Print what was done to the schemas, by whom and when, oldest first",
  options: storeOptions,
  examples: [
    { command: "msgr migrate history", what: "Both stores, one line an event" },
    { command: "msgr migrate history --only sql --json", what: "PostgreSQL alone, with how long each took" },
  ],
  output: { schema: history, lines: false },
  exits: ["configuration", "unreachable"],
  async run(invocation) {
    const events = await withStores(invocation, async ({ schemas }) => {
      const all: Event[] = [];
      for (const { store } of schemas) {
        const journal = await store.readJournal();
        all.push(...journal.flatMap((entry) => eventsOf(store.kind, entry)));
      }
      return all.toSorted((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
    });
    invocation.output.data({ history: events }, () =>
      events.length === 0
        ? "Nothing was ever applied."
        : alignColumns(events.map(({ at, kind, name, event, by }) => [at, event, `${kind}/${name}.${kind}`, by])),
    );
    return "done";
  },
};

function eventsOf(kind: SchemaKind, entry: JournalEntry): readonly Event[] {
  const { name, runner, startedAt, finishedAt, repairedAt, repairedBy } = entry;
  const made: Event =
    finishedAt === undefined
      ? { at: startedAt.toISOString(), kind, name, event: "begun", by: runner, took_ms: null }
      : {
          at: finishedAt.toISOString(),
          kind,
          name,
          event: "applied",
          by: runner,
          took_ms: Math.max(0, finishedAt.getTime() - startedAt.getTime()),
        };
  if (repairedAt === undefined) return [made];
  const at = repairedAt.toISOString();
  return [made, { at, kind, name, event: "repaired", by: repairedBy ?? "", took_ms: null }];
}
