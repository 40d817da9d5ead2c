import type { Contact, Relations } from "../../core/ports/relations.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { BatchedReads } from "./batched-reads.ts";
import type { Postgres } from "./postgres.ts";
import { statement, type Statement } from "./statement.ts";

const contactsOfUser = statement(
  "contacts_of_user",
  `SELECT contact_user_id, name FROM contacts WHERE user_id = $1 ORDER BY contact_user_id`,
);

const blocksOfUser = statement(
  "blocks_of_user",
  `SELECT blocked_user_id FROM blocked_users WHERE user_id = $1 ORDER BY blocked_user_id`,
);

/** $1 = owners, $2 = as many others; answered in their order. */
const relationsBetween = statement(
  "relations_between",
  `SELECT EXISTS (SELECT FROM contacts c WHERE c.user_id = pair.owner AND c.contact_user_id = pair.other) AS contact,
          EXISTS (SELECT FROM blocked_users b WHERE b.user_id = pair.owner AND b.blocked_user_id = pair.other) AS blocked
   FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS pair (owner, other, place)
   ORDER BY place`,
);

/** Until the end of the transaction. Of one user's rows only, apart from other kinds of locks by its first number. */
const lockRelations = statement("lock_relations", `SELECT pg_advisory_xact_lock(1, hashtext($1::text))`);

/** Writes nothing when the row is new and the user has $4 of them. Exact under the lock only. */
const putContact = statement(
  "put_contact",
  `INSERT INTO contacts (user_id, contact_user_id, name)
   SELECT $1::uuid, $2::uuid, $3
   WHERE (SELECT count(*) FROM contacts WHERE user_id = $1) < $4
      OR EXISTS (SELECT FROM contacts WHERE user_id = $1 AND contact_user_id = $2)
   ON CONFLICT (user_id, contact_user_id) DO UPDATE SET name = EXCLUDED.name`,
);

const renameContact = statement(
  "rename_contact",
  `UPDATE contacts SET name = $3 WHERE user_id = $1 AND contact_user_id = $2`,
);

const removeContact = statement("remove_contact", `DELETE FROM contacts WHERE user_id = $1 AND contact_user_id = $2`);

/** Writes nothing when the user has $3 of them. Exact under the lock only. */
const putBlock = statement(
  "put_block",
  `INSERT INTO blocked_users (user_id, blocked_user_id)
   SELECT $1::uuid, $2::uuid
   WHERE (SELECT count(*) FROM blocked_users WHERE user_id = $1) < $3
   ON CONFLICT DO NOTHING`,
);

const isBlocked = statement("is_blocked", `SELECT FROM blocked_users WHERE user_id = $1 AND blocked_user_id = $2`);

const removeBlock = statement("remove_block", `DELETE FROM blocked_users WHERE user_id = $1 AND blocked_user_id = $2`);

/**
 * Contacts and blocks in PostgreSQL. Only adding one needs the lock of its owner: removing makes room, and what is there
 * may be written again without counting.
 */
export function createPostgresRelations(
  postgres: Postgres,
  limitsMax: { readonly contacts: number; readonly blocks: number } = {
    contacts: limits.contactsPerUserMax,
    blocks: limits.blocksPerUserMax,
  },
): Relations {
  /** False = the owner has as many as allowed. */
  const add = (ownerId: Uuid, put: Statement, values: readonly unknown[]): Promise<boolean> =>
    postgres.transaction(async (transaction) => {
      await transaction.query(lockRelations, [ownerId]);
      return (await transaction.query(put, values)).count === 1;
    });

  // Asked with every direct message of a conversation that was quiet for a while.
  const relations = new BatchedReads<readonly [Uuid, Uuid], Relation>(async (pairs) => {
    const values = [pairs.map(([owner]) => owner), pairs.map(([, other]) => other)];
    return (await postgres.query<Relation>(relationsBetween, values)).rows;
  });

  return {
    async contacts(ownerId) {
      const { rows } = await postgres.query<ContactRow>(contactsOfUser, [ownerId]);
      return rows.map(toContact);
    },

    async putContact(ownerId, contact) {
      if ("remove" in contact) {
        await postgres.query(removeContact, [ownerId, contact.remove]);
        return true;
      }
      const { userId, name } = contact;
      if ((await postgres.query(renameContact, [ownerId, userId, name])).count === 1) return true;
      return add(ownerId, putContact, [ownerId, userId, name, limitsMax.contacts]);
    },

    async blocks(ownerId) {
      const { rows } = await postgres.query<{ readonly blocked_user_id: Uuid }>(blocksOfUser, [ownerId]);
      return rows.map((row) => row.blocked_user_id);
    },

    async putBlock(ownerId, otherId, blocked) {
      if (!blocked) {
        await postgres.query(removeBlock, [ownerId, otherId]);
        return true;
      }
      return (
        (await add(ownerId, putBlock, [ownerId, otherId, limitsMax.blocks])) ||
        (await postgres.query(isBlocked, [ownerId, otherId])).count === 1
      );
    },

    between: (ownerId, otherId) => relations.get([ownerId, otherId]),
  };
}

interface Relation {
  readonly contact: boolean;
  readonly blocked: boolean;
}

interface ContactRow {
  readonly contact_user_id: Uuid;
  readonly name: string;
}

function toContact({ contact_user_id: userId, name }: ContactRow): Contact {
  return { userId, name };
}
