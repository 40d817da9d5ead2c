/** Message kinds. An unknown kind passes through: opaque and not countable, so that a newer client can talk over an older server. */
export const kinds = {
  void: 0,
  text: 1,
  media: 2,
  reply: 3,
  reaction: 4,
  edit: 5,
  delete: 6,
  system: 7,
} as const;

export const kindMax = 127;

/** Whether a row of this kind adds to its readers' unread count. */
export function isCountable(kind: number): boolean {
  return kind === kinds.text || kind === kinds.media || kind === kinds.reply;
}

/** Kinds that a client may send: `void` and `system` rows are made by the server only. */
export function isSendable(kind: number): boolean {
  return Number.isInteger(kind) && kind > 0 && kind <= kindMax && kind !== kinds.system;
}
