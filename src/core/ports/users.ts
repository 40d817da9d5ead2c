import type { Uuid } from "../../protocol/ids.ts";
import type { ConversationSettings, User, UserSettings } from "../model.ts";

export interface NewUser {
  readonly userId: Uuid;
  readonly handle: string;
  readonly displayName: string;
  readonly createdAt: number;
  /** Encoded password hash with its algorithm and parameters; absent = no login by password (made in bulk). */
  readonly passwordHash?: string;
}

export type ProfilePatch = Partial<Pick<User, "displayName" | "statusMessage" | "photoUrl" | "lastLoginAt">>;

/** Accounts. Handles are unique in lower case. Errors: WireError `store_unavailable`, `storage_full`. */
export interface Users {
  /** One transaction, all or none. Answers the handles that are taken (nothing was written), or an empty list. */
  create(users: readonly NewUser[]): Promise<readonly string[]>;
  byId(userId: Uuid): Promise<User | undefined>;
  byHandle(handle: string): Promise<User | undefined>;
  passwordHash(userId: Uuid): Promise<string | undefined>;
  /** Puts `next` in the place of the hash `current`; false = another one is there, or none, and nothing was written. */
  replacePasswordHash(userId: Uuid, current: string, next: string): Promise<boolean>;
  /** Changes what the patch names; answers the user afterwards, or undefined if there is none. */
  update(userId: Uuid, profile: ProfilePatch, settings: Partial<UserSettings>): Promise<User | undefined>;
}

/** How a user keeps one conversation apart from its messages. */
export interface ConversationSettingsStore {
  all(userId: Uuid): Promise<readonly ConversationSettings[]>;
  write(userId: Uuid, settings: ConversationSettings): Promise<void>;
}
