import { z } from "zod";
import { CliError } from "../cli-error.ts";
import type { Command } from "../command.ts";
import { kindSchema, storeOptions } from "../migrate/options.ts";
import { withStores } from "../migrate/with-stores.ts";

const locks = z.object({
  locks: z.array(
    z.object({
      kind: kindSchema,
      place: z.string(),
      holder: z.object({ id: z.string(), name: z.string(), since: z.string().nullable() }).nullable(),
      released: z.boolean(),
    }),
  ),
});

type Lock = z.infer<typeof locks>["locks"][number];

export const migrateUnlockCommand: Command = {
  name: "migrate unlock",
  summary: "Show who holds the locks, and take one away",
  details:
    "Only for a holder that is known to be dead: a lock in Cassandra expires by itself a minute after its owner, one in\nPostgreSQL ends with its session. A holder that lives stops before its next statement (Cassandra) or is disconnected\n(PostgreSQL).",
  options: [...storeOptions, { flags: "--confirm <holder>", description: "take the lock of this holder away" }],
  examples: [
    { command: "msgr migrate unlock", what: "Show the holders; exit 6 if there is one" },
    { command: "msgr migrate unlock --only sql --confirm 'pid 4711'", what: "End that session" },
  ],
  output: { schema: locks, lines: false },
  exits: ["configuration", "unreachable", "locked"],
  async run(invocation) {
    const confirmed = invocation.options["confirm"] as string | undefined;
    const found = await withStores(invocation, async ({ schemas }) => {
      const all: Lock[] = [];
      for (const { store } of schemas) {
        const holder = await store.readHolder();
        const released = holder !== undefined && holder.id === confirmed && (await store.breakLock(holder.id));
        const described = holder === undefined ? null : { ...holder, since: holder.since?.toISOString() ?? null };
        all.push({ kind: store.kind, place: store.place, holder: described, released });
      }
      return all;
    });
    if (confirmed !== undefined && !found.some(({ released }) => released)) {
      const holders = found.flatMap(({ holder }) => (holder === null ? [] : [`'${holder.id}'`]));
      const fix = holders.length === 0 ? "Nobody holds a lock." : `Holders are ${holders.join(", ")}.`;
      throw new CliError("usage", `${confirmed} holds no lock.`, { fix });
    }
    invocation.output.data({ locks: found }, () => found.map(textOf).join("\n"));
    return found.some(({ holder, released }) => holder !== null && !released) ? "locked" : "done";
  },
};

function textOf({ kind, place, holder, released }: Lock): string {
  if (holder === null) return `${kind}: nobody holds the lock of ${place}.`;
  const since = holder.since === null ? "" : ` since ${holder.since}`;
  if (released) return `${kind}: taken from ${holder.name} (${holder.id}).`;
  return `${kind}: ${holder.name} holds the lock of ${place}${since}.\n  To take it away: msgr migrate unlock --only ${kind} --confirm '${holder.id}'`;
}
