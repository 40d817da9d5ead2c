import type { PageRow } from "../../protocol/fields.ts";
import type { Change } from "./types.ts";
import { toRecord, type ConversationState, type DeviceState, type PendingSend } from "./state.ts";

/**
 * The only way to the storage. What may be told to the server only after it is durable (a receipt, the first send of a
 * message) waits in `device.undurable` when the storage is not at once.
 */
export function persistConversation(
  device: DeviceState,
  conversation: ConversationState,
  rows?: readonly PageRow[],
): void {
  const record = toRecord(conversation);
  write(device, conversation, rows === undefined ? { conversation: record } : { conversation: record, rows });
}

/** The conversation as it is now, without any row that was stored before. */
export function persistDrop(device: DeviceState, conversation: ConversationState): void {
  write(device, conversation, { conversation: toRecord(conversation), rowsCleared: true });
}

function write(device: DeviceState, conversation: ConversationState, change: Change): void {
  device.changes++;
  if (device.environment.effects.persist(device.owner, change)) {
    conversation.stored = conversation.filled;
    conversation.storedForeign = conversation.foreign;
    return;
  }
  const { filled, foreign } = conversation;
  (device.undurable ??= []).push({ changes: device.changes, conversation, filled, foreign, pending: undefined });
}

export function persistPending(device: DeviceState, pending: PendingSend): void {
  device.changes++;
  if (device.environment.effects.persist(device.owner, { outboxPut: pending.entry })) {
    pending.stored = true;
    return;
  }
  (device.undurable ??= []).push({ changes: device.changes, conversation: undefined, filled: 0, foreign: 0, pending });
}

export function persistRemoval(device: DeviceState, pending: PendingSend): void {
  device.changes++;
  device.environment.effects.persist(device.owner, { outboxRemove: pending.entry.messageId });
}

/** The storage reports that `changes` changes are durable. Answers the conversations that may go on. */
export function acceptDurable(device: DeviceState, changes: number): Set<ConversationState> {
  const released = new Set<ConversationState>();
  const waiting = device.undurable;
  if (waiting === undefined) return released;
  let count = 0;
  for (const change of waiting) {
    if (change.changes > changes) break;
    count++;
    if (change.pending !== undefined) {
      change.pending.stored = true;
      const conversation = device.conversations.get(change.pending.entry.conversationId);
      if (conversation !== undefined) released.add(conversation);
    }
    if (change.conversation !== undefined) {
      change.conversation.stored = change.filled;
      change.conversation.storedForeign = change.foreign;
      released.add(change.conversation);
    }
  }
  if (count === waiting.length) device.undurable = undefined;
  else waiting.splice(0, count);
  return released;
}
