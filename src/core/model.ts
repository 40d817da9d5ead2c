import type { Uuid } from "../protocol/ids.ts";

/**
 * What the stores hold, as the core sees it. Plain data; all times in ms since the epoch; seqs from 1, 0 = none.
 */

/** 0 = everyone in the conversation; 1 = only the sender's devices (a direct send to someone who blocked the sender). */
export type Visibility = 0 | 1;

/** One row of a conversation's log. Written once, never changed. */
export interface LogRow {
  readonly seq: number;
  readonly messageId: Uuid;
  readonly senderId: Uuid;
  readonly senderDevice: number;
  readonly sentAt: number;
  readonly kind: number;
  readonly visibility: Visibility;
  /** Countable rows up to and including this one. */
  readonly ucount: number;
  readonly mediaId?: Uuid;
  readonly envelope: Uint8Array;
}

/** The end of a log: the statics of its newest bucket. */
export interface LogHead {
  /** Highest seq written; 0 = the log has no row yet. */
  readonly head: number;
  readonly headUcount: number;
  readonly headAt: number;
  /** Membership version whose system row is in the log; 0 for direct chats and inboxes. */
  readonly membership: number;
}

export const emptyHead: LogHead = { head: 0, headUcount: 0, headAt: 0, membership: 0 };

/** Bucket that holds `seq` (≥ 1) when a bucket has `bucketRows` rows. */
export function bucketOf(seq: number, bucketRows: number): number {
  return Math.floor((seq - 1) / bucketRows);
}

export type ConversationKind = "direct" | "group";

/**
 * A conversation as one of its members keeps it. Every field is a register that only grows with the seq that drives it,
 * so writes may arrive late, twice and in any order (see mergeListRow).
 */
export interface ListRow {
  readonly conversationId: Uuid;
  readonly kind: ConversationKind;
  readonly peerId?: Uuid;
  /** Set together, by the membership change at `membershipSeq`. Direct chats: 1, 0. */
  readonly joinedSeq: number;
  /** 0 = still a member. The row may show nothing at or above it. */
  readonly leftSeq: number;
  readonly leftUcount: number;
  readonly membershipSeq: number;
  /** Set together, by the row at `lastSeq`. */
  readonly lastSeq: number;
  readonly lastUcount: number;
  readonly lastSender?: Uuid;
  readonly lastAt: number;
  /** Highest own row. */
  readonly ownSeq: number;
  readonly recvSeq: number;
  /** Set together. */
  readonly readSeq: number;
  readonly readUcount: number;
  /** Direct chats: the peer's watermarks as far as this reader may know them. */
  readonly peerRecvSeq: number;
  readonly peerReadSeq: number;
  readonly clearedSeq: number;
  /** Head up to which this row is known to reflect the log. */
  readonly checkedSeq: number;
}

/** A change to one list row. Absent fields stay as they are; present ones win if their driving seq is higher. */
export interface ListWrite {
  readonly userId: Uuid;
  readonly conversationId: Uuid;
  /** Constant for a row; needed whenever the write may create it. */
  readonly kind: ConversationKind;
  readonly peerId?: Uuid;
  readonly last?: { readonly seq: number; readonly ucount: number; readonly sender: Uuid; readonly at: number };
  readonly ownSeq?: number;
  readonly recvSeq?: number;
  readonly read?: { readonly seq: number; readonly ucount: number };
  readonly peerRecvSeq?: number;
  readonly peerReadSeq?: number;
  readonly membership?: {
    readonly seq: number;
    readonly joinedSeq: number;
    readonly leftSeq: number;
    readonly leftUcount: number;
  };
  readonly clearedSeq?: number;
  readonly checkedSeq?: number;
}

/** A member's watermarks as everyone in the conversation may see them (read: only if the member shares it). */
export interface ReceiptRow {
  readonly userId: Uuid;
  readonly recvSeq: number;
  readonly recvAt: number;
  readonly readSeq: number;
  readonly readAt: number;
}

export type GroupRole = "owner" | "admin" | "member";

export interface GroupMember {
  readonly userId: Uuid;
  readonly role: GroupRole;
  /** First seq of the current reading interval; 0 while the system row of the join is not in the log yet: reads nothing. */
  readonly joinedSeq: number;
}

/** What a member could read and when: [joinedSeq, leftSeq). leftSeq 0 = open. */
export interface MemberInterval {
  readonly userId: Uuid;
  readonly joinedSeq: number;
  readonly leftSeq: number;
}

export interface Group {
  readonly groupId: Uuid;
  readonly name: string;
  readonly creatorId: Uuid;
  readonly createdAt: number;
  /** Version of the member set and the name; 1 after creation. */
  readonly membership: number;
  readonly members: readonly GroupMember[];
}

export type GroupChangeKind = "create" | "add" | "remove" | "leave" | "role" | "rename";

/** One committed change of a group whose system row may still have to be appended. */
export interface GroupChange {
  readonly groupId: Uuid;
  /** The membership version that this change made. */
  readonly version: number;
  /** Id of its system row. */
  readonly messageId: Uuid;
  /** A head from which on the system row is not yet in the log: where the dedupe proof starts. */
  readonly since: number;
  readonly actorId: Uuid;
  readonly actorDevice: number;
  readonly kind: GroupChangeKind;
  /** Users added, removed or given `role`. */
  readonly userIds: readonly Uuid[];
  readonly role?: GroupRole;
  readonly name?: string;
  readonly at: number;
  /** Seq of the system row; 0 while it is not known to be appended. */
  readonly seq: number;
}

export type Audience = "everyone" | "contacts" | "nobody";

export interface UserSettings {
  readonly lastSeen: Audience;
  readonly profilePhoto: Audience;
  readonly about: Audience;
  readonly groups: Audience;
  readonly readReceipts: boolean;
  readonly messageNotifications: boolean;
  readonly groupNotifications: boolean;
  readonly callNotifications: boolean;
  readonly notificationSound: string;
  readonly securityNotifications: boolean;
}

export const defaultSettings: UserSettings = {
  lastSeen: "everyone",
  profilePhoto: "everyone",
  about: "everyone",
  groups: "everyone",
  readReceipts: true,
  messageNotifications: true,
  groupNotifications: true,
  callNotifications: true,
  notificationSound: "default",
  securityNotifications: true,
};

export interface User {
  readonly userId: Uuid;
  /** Phone-shaped or a name; unique, compared in lower case. */
  readonly handle: string;
  readonly displayName: string;
  readonly statusMessage: string;
  readonly photoUrl?: string;
  readonly createdAt: number;
  readonly lastLoginAt: number;
  readonly settings: UserSettings;
}

export interface Device {
  readonly userId: Uuid;
  /** From 1, never used twice for one user. */
  readonly device: number;
  readonly name: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

export interface Session {
  /** One login = one family; every refresh makes the next version of it. */
  readonly familyId: Uuid;
  readonly userId: Uuid;
  readonly device: number;
  readonly version: number;
  /** SHA-256 of the refresh token that is valid now. */
  readonly refreshHash: Uint8Array;
  readonly accessHash: Uint8Array;
  readonly accessExpiresAt: number;
  readonly refreshExpiresAt: number;
}

export interface ConversationSettings {
  readonly conversationId: Uuid;
  /** 0 = not muted. */
  readonly mutedUntil: number;
  readonly pinned: boolean;
  readonly archived: boolean;
}
