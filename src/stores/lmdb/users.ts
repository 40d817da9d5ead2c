import { assert } from "../../base/assert.ts";
import { defaultSettings, type User, type UserSettings } from "../../core/model.ts";
import type { NewUser, Users } from "../../core/ports/users.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Transaction } from "./batch.ts";
import { idTable } from "./directory-tables.ts";
import type { Environment } from "./environment.ts";
import { textKey, uuidKey, type Key } from "./keys.ts";
import { packedTable } from "./packed-table.ts";

/** Settings are kept as far as they were set, so that a new one gets its default for everybody. */
type StoredUser = Omit<User, "userId" | "settings"> & { readonly settings: Partial<UserSettings> };

/** user */
const profiles = packedTable<StoredUser>("users");
/** handle in lower case → user */
const handles = idTable("user_handles");
/** user; apart from the profile, so that reading a profile never brings a hash into memory. */
const passwords = packedTable<{ readonly hash: string }>("user_passwords");

/** Accounts in LMDB. Operations run alone, so a handle found free stays free until it is taken. */
export function createLmdbUsers(environment: Environment): Users {
  const byId = (userId: Uuid): User | undefined => {
    const stored = environment.get(profiles, uuidKey(userId));
    return stored && toUser(userId, stored);
  };
  return {
    create: (users) => environment.write((transaction) => createUsers(transaction, users)),

    async byId(userId) {
      return byId(userId);
    },

    async byHandle(handle) {
      const userId = handle === "" ? undefined : environment.get(handles, handleKey(handle));
      return userId === undefined ? undefined : byId(userId);
    },

    async passwordHash(userId) {
      return environment.get(passwords, uuidKey(userId))?.hash;
    },

    replacePasswordHash: (userId, current, next) =>
      environment.write((transaction) => {
        if (transaction.get(passwords, uuidKey(userId))?.hash !== current) return false;
        transaction.put(passwords, uuidKey(userId), { hash: next });
        return true;
      }),

    update: (userId, profile, settings) =>
      environment.write((transaction) => {
        const stored = transaction.get(profiles, uuidKey(userId));
        if (stored === undefined) return undefined;
        const updated = { ...stored, ...profile, settings: { ...stored.settings, ...settings } };
        transaction.put(profiles, uuidKey(userId), updated);
        return toUser(userId, updated);
      }),
  };
}

function createUsers(transaction: Transaction, users: readonly NewUser[]): readonly string[] {
  const given = new Set<string>();
  const taken: string[] = [];
  for (const { userId, handle } of users) {
    const lower = handle.toLowerCase();
    if (given.has(lower) || transaction.get(handles, handleKey(handle)) !== undefined) taken.push(handle);
    given.add(lower);
    assert(transaction.get(profiles, uuidKey(userId)) === undefined, "a new user has a new id");
  }
  if (taken.length > 0) return taken;
  for (const { userId, handle, displayName, createdAt, passwordHash } of users) {
    const profile = { handle, displayName, statusMessage: "", createdAt, lastLoginAt: 0, settings: {} };
    transaction.put(profiles, uuidKey(userId), profile);
    transaction.put(handles, handleKey(handle), userId);
    if (passwordHash !== undefined) transaction.put(passwords, uuidKey(userId), { hash: passwordHash });
  }
  return [];
}

function toUser(userId: Uuid, stored: StoredUser): User {
  return { ...stored, userId, settings: { ...defaultSettings, ...stored.settings } };
}

function handleKey(handle: string): Key {
  return textKey(handle.toLowerCase());
}
