import { present } from "../../base/assert.ts";
import type { Relations } from "../../core/ports/relations.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Transaction } from "./batch.ts";
import { flagTable, under } from "./directory-tables.ts";
import type { Environment } from "./environment.ts";
import { uuidKey, uuidOfKey, uuidPairKey } from "./keys.ts";
import { packedTable } from "./packed-table.ts";
import type { Table } from "./tables.ts";

/** Rows of owners, with a count beside them, so that keeping the limit costs one read however many there are. */
interface CountedRows<Value> {
  /** owner, other */
  readonly rows: Table<Value>;
  /** owner */
  readonly counts: Table<{ readonly count: number }>;
}

const contacts: CountedRows<{ readonly name: string }> = {
  rows: packedTable("contacts"),
  counts: packedTable("contact_counts"),
};
const blocks: CountedRows<true> = { rows: flagTable("blocks"), counts: packedTable("block_counts") };

/** Contacts and blocks in LMDB. */
export function createLmdbRelations(
  environment: Environment,
  limitsMax: { readonly contacts: number; readonly blocks: number } = {
    contacts: limits.contactsPerUserMax,
    blocks: limits.blocksPerUserMax,
  },
): Relations {
  return {
    async contacts(ownerId) {
      const entries = environment.range(contacts.rows, under(uuidKey(ownerId)));
      return entries.map(({ key, value }) => ({ userId: uuidOfKey(key, 16), name: value.name }));
    },

    putContact: (ownerId, contact) =>
      environment.write((transaction) => {
        if ("remove" in contact) return removeRow(transaction, contacts, ownerId, contact.remove);
        return putRow(transaction, contacts, ownerId, contact.userId, { name: contact.name }, limitsMax.contacts);
      }),

    async blocks(ownerId) {
      return environment.range(blocks.rows, under(uuidKey(ownerId))).map(({ key }) => uuidOfKey(key, 16));
    },

    putBlock: (ownerId, otherId, blocked) =>
      environment.write((transaction) =>
        blocked
          ? putRow(transaction, blocks, ownerId, otherId, true, limitsMax.blocks)
          : removeRow(transaction, blocks, ownerId, otherId),
      ),

    async between(ownerId, otherId) {
      const key = uuidPairKey(ownerId, otherId);
      return {
        contact: environment.get(contacts.rows, key) !== undefined,
        blocked: environment.get(blocks.rows, key) !== undefined,
      };
    },
  };
}

/** False when the row is new and the owner has as many as allowed. */
function putRow<Value>(
  transaction: Transaction,
  { rows, counts }: CountedRows<Value>,
  ownerId: Uuid,
  otherId: Uuid,
  value: Value,
  rowsMax: number,
): boolean {
  const key = uuidPairKey(ownerId, otherId);
  if (transaction.get(rows, key) === undefined) {
    const count = transaction.get(counts, uuidKey(ownerId))?.count ?? 0;
    if (count >= rowsMax) return false;
    transaction.put(counts, uuidKey(ownerId), { count: count + 1 });
  }
  transaction.put(rows, key, value);
  return true;
}

function removeRow<Value>(
  transaction: Transaction,
  { rows, counts }: CountedRows<Value>,
  ownerId: Uuid,
  otherId: Uuid,
): true {
  const key = uuidPairKey(ownerId, otherId);
  if (transaction.get(rows, key) !== undefined) {
    const { count } = present(transaction.get(counts, uuidKey(ownerId)), "the count of one who has rows");
    transaction.remove(rows, key);
    transaction.put(counts, uuidKey(ownerId), { count: count - 1 });
  }
  return true;
}
