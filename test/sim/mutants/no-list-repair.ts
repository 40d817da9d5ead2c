import type { ListRow } from "../../../src/core/model.ts";
import type { Stores } from "../stores.ts";
import type { Mutant } from "./mutant.ts";

/** The row as if it had been compared with the log just now. */
function claimed({ log }: Stores, row: ListRow): ListRow {
  return { ...row, checkedSeq: log.headOf(row.conversationId)?.head ?? 0 };
}

/** Nobody repairs list rows: what a process did not write before it died stays unlisted. */
export const noListRepair: Mutant = {
  name: "no-list-repair",
  ports: (ports, stores) => ({
    ...ports,
    lists: {
      async all(userId) {
        return (await ports.lists.all(userId)).map((row) => claimed(stores, row));
      },
      async one(userId, conversationId) {
        const row = await ports.lists.one(userId, conversationId);
        return row && claimed(stores, row);
      },
      write: (writes) => ports.lists.write(writes),
    },
  }),
};
