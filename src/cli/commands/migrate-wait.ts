import { z } from "zod";
import { systemClock } from "../../base/clock.ts";
import { compareWithJournal, refuseForeign } from "../../migrate/compare.ts";
import { pause } from "../../migrate/pause.ts";
import { parseDuration } from "../chat/duration.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import { signalReason } from "../migrate/explain-migrate-error.ts";
import { storeOptions } from "../migrate/options.ts";
import { withStores } from "../migrate/with-stores.ts";

const timeoutDefaultMs = 600_000;
const pollIntervalMs = 1_000;

export const migrateWaitCommand: Command = {
  name: "migrate wait",
  summary: "Wait until nothing is pending: for deployments where another job migrates",
  options: [...storeOptions, { flags: "--timeout <time>", description: "give up after this (default 10m)" }],
  examples: [
    { command: "msgr migrate wait --timeout 2m", what: "Before a server is started beside a migrating job" },
    { command: "msgr migrate wait --only sql", what: "Until PostgreSQL is up to date, whatever Cassandra is" },
  ],
  output: { schema: z.object({ pending: z.literal(0) }), lines: false },
  exits: ["configuration", "unreachable", "finding", "interrupted", "terminated"],
  async run(invocation) {
    const { options, output, interrupted } = invocation;
    const timeoutMs = parseDuration("--timeout", options["timeout"] as string | undefined, timeoutDefaultMs);
    const startedMs = systemClock.monotonicMs();
    for (;;) {
      const reason = await whyNotYet(invocation);
      if (reason === undefined) {
        output.data({ pending: 0 }, () => "Nothing is pending.");
        return "done";
      }
      if (systemClock.monotonicMs() - startedMs >= timeoutMs) throw reason;
      output.detail(reason.message);
      await pause(systemClock, pollIntervalMs, interrupted);
      if (interrupted.aborted) return signalReason(interrupted);
    }
  },
};

/** What is still missing. Throws what no waiting mends: a wrong configuration, a changed file, a newer schema. */
async function whyNotYet(invocation: Invocation): Promise<CliError | undefined> {
  try {
    const pending = await withStores(invocation, async ({ schemas }) => {
      const names: string[] = [];
      for (const { store, migrations } of schemas) {
        const statuses = compareWithJournal(store.kind, migrations, await store.readJournal());
        refuseForeign(statuses);
        names.push(...statuses.filter(({ state }) => state !== "applied").map(({ kind, name }) => `${kind}/${name}`));
      }
      return names;
    });
    if (pending.length === 0) return undefined;
    return new CliError("finding", `Still pending: ${pending.join(", ")}.`, { fix: "`msgr migrate up` applies them." });
  } catch (error) {
    if (error instanceof CliError && error.exit === "unreachable") return error;
    throw error;
  }
}
