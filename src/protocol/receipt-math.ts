import type { PageRow, Registers } from "./fields.ts";
import { isVoid } from "./fields.ts";
import type { Uuid } from "./ids.ts";
import { isCountable } from "./kinds.ts";
import { limits } from "./limits.ts";

/**
 * What watermarks mean for one message, the same on both sides of the wire. Nothing is stored per message: a member with
 * a watermark at or above its seq has it.
 */
export type MessageStatus = "sent" | "delivered" | "read";

/** A member's watermarks and current or latest reading interval [joinedSeq, leftSeq); leftSeq 0 = still a member. */
export interface MemberWatermarks {
  readonly userId: Uuid;
  readonly recvSeq: number;
  readonly readSeq: number;
  readonly joinedSeq: number;
  readonly leftSeq: number;
}

export interface ReceiptCount {
  /** Members the message is for: those whose interval holds it, without the sender. */
  readonly total: number;
  readonly delivered: number;
  readonly read: number;
}

/** Who has read a row has it. */
export function deliveredSeq(watermarks: { readonly recvSeq: number; readonly readSeq: number }): number {
  return Math.max(watermarks.recvSeq, watermarks.readSeq);
}

/**
 * "Delivered to 85, read by 42, of 100" for the message `seq` of `senderId`. One who left counts only if the message
 * arrived before: nobody can make it arrive any more.
 */
export function countReceipts(members: Iterable<MemberWatermarks>, senderId: Uuid, seq: number): ReceiptCount {
  let total = 0;
  let delivered = 0;
  let read = 0;
  for (const member of members) {
    if (member.userId === senderId || !isAddressed(member, seq)) continue;
    total++;
    if (deliveredSeq(member) >= seq) delivered++;
    if (member.readSeq >= seq) read++;
  }
  return { total, delivered, read };
}

function isAddressed(member: MemberWatermarks, seq: number): boolean {
  if (member.joinedSeq === 0 || seq < member.joinedSeq) return false;
  if (member.leftSeq === 0) return true;
  return seq < member.leftSeq && deliveredSeq(member) >= seq;
}

/** Ticks of an own group message: of a status that everyone has. A group of one stays at `sent`. */
export function groupMessageStatus(count: ReceiptCount): MessageStatus {
  if (count.total === 0) return "sent";
  if (count.read === count.total) return "read";
  return count.delivered === count.total ? "delivered" : "sent";
}

/** Ticks of an own direct message. `maxStatus`: what its row says can ever be reached. */
export function directMessageStatus(
  seq: number,
  registers: Pick<Registers, "peer_recv_seq" | "peer_read_seq">,
  maxStatus: "sent" | undefined,
): MessageStatus {
  if (maxStatus === "sent") return "sent";
  if (registers.peer_read_seq >= seq) return "read";
  return registers.peer_recv_seq >= seq ? "delivered" : "sent";
}

export interface UnreadCount {
  readonly count: number;
  /** Whether there may be more ("200+"). */
  readonly more: boolean;
}

/**
 * Unread rows by the registers alone: exact when the reader wrote nothing after what it read, since then every countable
 * row in between is someone else's. Undefined when own rows lie in between: count them in the log (countUnreadRows).
 */
export function unreadByRegisters(
  registers: Pick<Registers, "last_ucount" | "own_seq" | "read_seq" | "read_ucount">,
): UnreadCount | undefined {
  if (registers.own_seq > registers.read_seq) return undefined;
  return { count: Math.max(0, registers.last_ucount - registers.read_ucount), more: false };
}

/** Unread rows counted one by one: countable, after `readSeq`, of someone else. Stops at unreadCountMax. */
export function countUnreadRows(rows: Iterable<PageRow>, readSeq: number, readerId: Uuid): UnreadCount {
  let count = 0;
  for (const row of rows) {
    if (isVoid(row) || row.seq <= readSeq || row.sender.user === readerId || !isCountable(row.kind)) continue;
    if (count === limits.unreadCountMax) return { count, more: true };
    count++;
  }
  return { count, more: false };
}
