import { isReadable } from "../../src/core/receipts/watermark-rule.ts";
import type { GroupChange, LogRow } from "../../src/core/model.ts";
import { isCountable } from "../../src/protocol/kinds.ts";
import { directConversationId, uuidVersion, type Uuid } from "../../src/protocol/ids.ts";
import type { World } from "./world.ts";

export interface Interval {
  readonly joinedSeq: number;
  leftSeq: number;
}

/** What a conversation is, worked out from its log and its changes alone: nothing that the core derives is believed. */
export interface Conversation {
  readonly conversationId: Uuid;
  readonly name: string;
  readonly kind: "direct" | "group";
  readonly rows: readonly LogRow[];
  /** Everyone who is or ever was in it. */
  readonly members: ReadonlyMap<Uuid, readonly Interval[]>;
}

export function conversationsOf(world: World): readonly Conversation[] {
  const { log } = world.stores;
  return log.conversationIds().map((conversationId) => {
    const kind = uuidVersion(conversationId) === 8 ? "direct" : "group";
    const rows = log.rowsOf(conversationId);
    const members = kind === "direct" ? peersOf(world, conversationId) : membersOf(world, conversationId, rows);
    return { conversationId, name: world.witness.names.of(conversationId, "d"), kind, rows, members };
  });
}

export function sees(conversation: Conversation, userId: Uuid, row: LogRow): boolean {
  if (row.visibility === 1 && row.senderId !== userId) return false;
  return isReadable(conversation.members.get(userId) ?? [], row.seq);
}

export function seenBy(conversation: Conversation, userId: Uuid): readonly LogRow[] {
  return conversation.rows.filter((row) => sees(conversation, userId, row));
}

/**
 * The rows that the user's devices must hold by now. Without a sync: up to the last one that was answered. A row whose
 * append stayed open, and whose sender found it by a sync instead of asking again, is pushed by nobody; and a chat of such
 * rows alone, whose sender is gone, begins for its members when somebody writes in it.
 */
export function dueTo(world: World, conversation: Conversation, userId: Uuid, synced: boolean): readonly LogRow[] {
  const seen = seenBy(conversation, userId);
  const { sent, answered } = world.witness;
  const last = seen.findLastIndex(({ messageId }) => !sent.has(messageId) || answered.has(messageId));
  const isListed = world.stores.lists.rowOf(userId, conversation.conversationId) !== undefined;
  return synced && isListed ? seen : seen.slice(0, last + 1);
}

/** The membership that holds now, or the last one. */
export function latestOf(conversation: Conversation, userId: Uuid): Interval | undefined {
  return conversation.members.get(userId)?.at(-1);
}

export function counts(row: LogRow): boolean {
  return row.visibility === 0 && isCountable(row.kind);
}

function peersOf(world: World, conversationId: Uuid): ReadonlyMap<Uuid, readonly Interval[]> {
  const members = new Map<Uuid, readonly Interval[]>();
  for (const one of world.users) {
    for (const other of world.users) {
      if (directConversationId(one, other) === conversationId) members.set(one, [{ joinedSeq: 1, leftSeq: 0 }]);
    }
  }
  return members;
}

/** Replays the committed changes over the seqs at which the log has their rows. */
function membersOf(world: World, groupId: Uuid, rows: readonly LogRow[]): ReadonlyMap<Uuid, readonly Interval[]> {
  const seqs = new Map(rows.map((row) => [row.messageId, row.seq]));
  const members = new Map<Uuid, Interval[]>();
  for (const change of world.stores.groups.changesOf(groupId)) {
    const seq = seqs.get(change.messageId);
    if (seq !== undefined) replay(members, change, seq);
  }
  return members;
}

function replay(members: Map<Uuid, Interval[]>, change: GroupChange, seq: number): void {
  const { kind, userIds, actorId } = change;
  if (kind === "create" || kind === "add") {
    for (const userId of kind === "create" ? [actorId, ...userIds] : userIds) {
      const intervals = members.get(userId) ?? [];
      members.set(userId, intervals);
      if (intervals.at(-1)?.leftSeq !== 0) intervals.push({ joinedSeq: seq, leftSeq: 0 });
    }
  } else if (kind === "remove" || kind === "leave") {
    for (const userId of userIds) {
      const open = members.get(userId)?.at(-1);
      if (open?.leftSeq === 0) open.leftSeq = seq + 1;
    }
  }
}
