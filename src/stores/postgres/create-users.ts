import type { NewUser } from "../../core/ports/users.ts";
import type { Postgres } from "./postgres.ts";
import { statement } from "./statement.ts";

/** In the order of handles, so that two batches with handles in common wait for each other and not in a ring. */
const insertUsers = statement(
  "insert_users",
  `WITH made AS (
     INSERT INTO users (user_id, handle, display_name, created_at, password_hash)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[])
              AS given (user_id, handle, display_name, created_at, password_hash)
     ORDER BY lower(handle COLLATE "C")
     ON CONFLICT ((lower(handle COLLATE "C"))) DO NOTHING
     RETURNING user_id
   )
   INSERT INTO user_settings (user_id) SELECT user_id FROM made`,
);

const handlesOfOthers = statement(
  "handles_of_others",
  `SELECT lower(handle COLLATE "C") AS handle
   FROM users
   WHERE lower(handle COLLATE "C") = ANY($1::text[]) AND user_id <> ALL($2::uuid[])`,
);

/**
 * Users.create. All are inserted by one statement, which passes over handles that are taken; if it did, the transaction is
 * undone and the taken ones are named. Whoever took them has committed, since the statement waits for that.
 */
export async function createUsers(postgres: Postgres, users: readonly NewUser[]): Promise<readonly string[]> {
  if (users.length === 0) return [];
  const repeated = repeatedHandles(users);
  const ids = users.map(({ userId }) => userId);
  return postgres.transaction(async (transaction) => {
    if (repeated.size === 0) {
      const { count } = await transaction.query(insertUsers, columnsOf(users));
      if (count === users.length) return [];
    }
    transaction.abandon();
    const lower = users.map(({ handle }) => handle.toLowerCase());
    const { rows } = await transaction.query<{ readonly handle: string }>(handlesOfOthers, [lower, ids]);
    const taken = new Set(rows.map(({ handle }) => handle));
    return users
      .filter((user, index) => repeated.has(user) || taken.has(lower[index] ?? ""))
      .map(({ handle }) => handle);
  });
}

/** Those whose handle stands further up in the batch. */
function repeatedHandles(users: readonly NewUser[]): ReadonlySet<NewUser> {
  const given = new Set<string>();
  const repeated = new Set<NewUser>();
  for (const user of users) {
    const lower = user.handle.toLowerCase();
    if (given.has(lower)) repeated.add(user);
    given.add(lower);
  }
  return repeated;
}

function columnsOf(users: readonly NewUser[]): readonly unknown[] {
  return [
    users.map(({ userId }) => userId),
    users.map(({ handle }) => handle),
    users.map(({ displayName }) => displayName),
    users.map(({ createdAt }) => createdAt),
    users.map(({ passwordHash }) => passwordHash ?? null),
  ];
}
