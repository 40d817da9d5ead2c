import { z } from "zod";
import { compareWithJournal, refuseForeign } from "../../migrate/compare.ts";
import { planStatements, type PlannedStatement } from "../../migrate/plan.ts";
import { lockLevels } from "../../migrate/sql/lock-level.ts";
import { loadSqlParser } from "../../migrate/sql/scan.ts";
import type { Command } from "../command.ts";
import { chosenVersion, kindSchema, storeOptions, toOption } from "../migrate/options.ts";
import { alignColumns } from "../migrate/status-document.ts";
import { withStores } from "../migrate/with-stores.ts";

const plan = z.object({
  statements: z.array(
    z.object({
      kind: kindSchema,
      place: z.string(),
      text: z.string(),
      lock: z.enum(lockLevels).nullable(),
      destroys: z.boolean(),
    }),
  ),
});

export const migratePlanCommand: Command = {
  name: "migrate plan",
  summary: "Print every statement that `migrate up` would run, with its lock and whether it destroys data",
  options: [...storeOptions, toOption],
  examples: [
    { command: "msgr migrate plan", what: "What is pending in both stores; nothing is changed" },
    { command: "msgr migrate plan --only sql --json", what: "The whole statements, with their lock levels" },
  ],
  output: { schema: plan, lines: false },
  exits: ["configuration", "unreachable", "finding"],
  async run(invocation) {
    const { output } = invocation;
    const to = chosenVersion(invocation, "to");
    const planned = await withStores(invocation, async ({ schemas }) => {
      await loadSqlParser();
      const found: PlannedStatement[] = [];
      for (const { store, migrations } of schemas) {
        const statuses = compareWithJournal(store.kind, migrations, await store.readJournal());
        refuseForeign(statuses);
        found.push(...planStatements(statuses, to));
      }
      return found;
    });
    const document: z.infer<typeof plan> = {
      statements: planned.map((statement) => ({ ...statement, lock: statement.lock ?? null })),
    };
    output.data(document, () => (planned.length === 0 ? "Nothing is pending." : planText(planned)));
    return "done";
  },
};

const statementLengthMax = 60;

function planText(planned: readonly PlannedStatement[]): string {
  const rows = planned.map(({ place, text, lock, destroys }) => {
    const line = text.replaceAll(/\s+/g, " ");
    const short = line.length > statementLengthMax ? `${line.slice(0, statementLengthMax - 1)}…` : line;
    return [place, lock ?? "-", destroys ? "DESTROYS" : "", short];
  });
  return alignColumns([["statement", "lock", "", ""], ...rows]);
}
