import type { Key } from "./keys.ts";

/**
 * Every named database of the environment, in one table, so that all of them are made when the folder is opened: making
 * one is a write of its own and must not happen while a commit is in flight. Names are part of the data's format.
 */
export const databaseNames = [
  "meta",
  "messages",
  "buckets",
  "lists",
  "receipts",
  "block_counts",
  "blocks",
  "contact_counts",
  "contacts",
  "conversation_settings",
  "devices",
  "fan_out_jobs",
  "group_change_messages",
  "group_changes",
  "group_changes_pending",
  "groups",
  "media",
  "media_doomed",
  "media_loose",
  "member_intervals",
  "session_access_hashes",
  "session_refresh_hashes",
  "session_refresh_versions",
  "sessions",
  "user_groups",
  "user_handles",
  "user_passwords",
  "users",
] as const;

export type DatabaseName = (typeof databaseNames)[number];

/**
 * How many rows of a table stay decoded in memory, some 300 bytes each: those that are read again for every message. It takes
 * a third off what a message costs the main thread (docs/decisions/0010-lmdb-group-commit.md).
 */
export const recentRowsMax: Partial<Record<DatabaseName, number>> = {
  buckets: 16_384,
  lists: 32_768,
  receipts: 32_768,
};

/** One database with the type of its values and how they lie in it. */
export interface Table<Value> {
  readonly name: DatabaseName;
  /** Bytes that nobody changes afterwards. */
  encode(value: Value): Uint8Array;
  /** `bytes` are valid only during the call: whatever the value keeps of them is a copy. */
  decode(bytes: Buffer, key: Key): Value;
}
