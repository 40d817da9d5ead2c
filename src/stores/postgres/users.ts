import type { User } from "../../core/model.ts";
import type { Users } from "../../core/ports/users.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { BatchedReads } from "./batched-reads.ts";
import { createUsers } from "./create-users.ts";
import type { Postgres } from "./postgres.ts";
import { profileColumns, toUser, type ProfileRow } from "./profile-row.ts";
import { statement } from "./statement.ts";
import { updateUser } from "./update-user.ts";

const profilesById = statement(
  "profiles_by_id",
  `SELECT ${profileColumns}
   FROM users u JOIN user_settings s USING (user_id)
   WHERE u.user_id = ANY ($1::uuid[])`,
);

const profileByHandle = statement(
  "profile_by_handle",
  `SELECT ${profileColumns}
   FROM users u JOIN user_settings s USING (user_id)
   WHERE lower(u.handle COLLATE "C") = lower($1 COLLATE "C")`,
);

const passwordHashById = statement(
  "password_hash_by_id",
  `SELECT password_hash FROM users WHERE user_id = $1 AND password_hash IS NOT NULL`,
);

const replacePasswordHash = statement(
  "replace_password_hash",
  `UPDATE users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2`,
);

/** What the column takes. */
const handlePattern = /^[+A-Za-z0-9._-]{1,32}$/;

/** Accounts in PostgreSQL. Two who want one handle meet at its unique index, where the second waits for the first. */
export function createPostgresUsers(postgres: Postgres): Users {
  const profiles = new BatchedReads<Uuid, User | undefined>(async (userIds) => {
    const { rows } = await postgres.query<ProfileRow>(profilesById, [userIds]);
    const users = new Map(rows.map((row) => [row.user_id, toUser(row)]));
    return userIds.map((userId) => users.get(userId));
  });
  const byId = (userId: Uuid): Promise<User | undefined> => profiles.get(userId);
  return {
    create: (users) => createUsers(postgres, users),
    byId,

    async byHandle(handle) {
      // Anything may come from whoever logs in, also what is no text to the database (U+0000).
      if (!handlePattern.test(handle)) return undefined;
      const { rows } = await postgres.query<ProfileRow>(profileByHandle, [handle]);
      return rows[0] && toUser(rows[0]);
    },

    async passwordHash(userId) {
      const { rows } = await postgres.query<{ readonly password_hash: string }>(passwordHashById, [userId]);
      return rows[0]?.password_hash;
    },

    async replacePasswordHash(userId, current, next) {
      const { count } = await postgres.query(replacePasswordHash, [userId, current, next]);
      return count === 1;
    },

    async update(userId, profile, settings) {
      const isEmpty = Object.keys(profile).length + Object.keys(settings).length === 0;
      return isEmpty ? byId(userId) : updateUser(postgres, userId, profile, settings);
    },
  };
}
