import type { Uuid } from "../../protocol/ids.ts";
import { BelievedReads, type Belief } from "../belief.ts";
import type { User } from "../model.ts";
import type { Users } from "../ports/users.ts";

/** As many as a process has connections, and their peers. */
const usersMax = 32_768;

export interface KnownUsers {
  /** As the port, but `byId` remembers. Its settings are those of now; the rest of a profile may be up to a minute old. */
  readonly users: Users;
  /** The user's settings changed. */
  forget(userId: Uuid): void;
}

/** For sends and receipts, which ask with each message whether a user exists and what the settings say. */
export function createKnownUsers(users: Users, belief: Belief): KnownUsers {
  const reads = new BelievedReads<User>(belief, usersMax, (userId) => users.byId(userId));
  return {
    users: {
      create: (added) => users.create(added),
      byId: (userId) => reads.get(userId),
      byHandle: (handle) => users.byHandle(handle),
      passwordHash: (userId) => users.passwordHash(userId),
      replacePasswordHash: (userId, current, next) => users.replacePasswordHash(userId, current, next),
      update: (userId, profile, settings) => users.update(userId, profile, settings),
    },
    forget: (userId) => reads.forget(userId),
  };
}
