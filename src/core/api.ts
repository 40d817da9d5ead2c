import type { PageRow, Registers, SeqRun } from "../protocol/fields.ts";
import type { SyncCursor } from "../protocol/frames/client-frames.ts";
import type { Uuid } from "../protocol/ids.ts";
import type { Bus, Notice } from "./ports/bus.ts";
import type { FanOutQueue } from "./ports/fan-out-queue.ts";
import type { ConversationLists } from "./ports/conversation-lists.ts";
import type { Groups } from "./ports/groups.ts";
import type { MediaAttachments } from "./ports/media.ts";
import type { MessageLog } from "./ports/message-log.ts";
import type { Receipts } from "./ports/receipts.ts";
import type { Relations } from "./ports/relations.ts";
import type { ConversationSettingsStore, Users } from "./ports/users.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { ConversationKind, Group, GroupRole, ListRow } from "./model.ts";

/**
 * What a server process (or the simulator) asks of the core. Every operation rejects with WireError and nothing else for
 * what a caller or a store did wrong. The core keeps nothing that must survive: any number of cores may run on the same
 * stores, and any of them may die at any time.
 */
export interface Core {
  readonly delivery: DeliveryApi;
  readonly receipts: ReceiptsApi;
  readonly reading: ReadingApi;
  readonly groups: GroupsApi;
  readonly people: PeopleApi;
  /** To be called for every notice that arrives on the bus: drops what the caches hold about it. */
  hear(notice: Notice): void;
  /**
   * To be told of every NEW_MESSAGE that is delivered through this process, whichever appended it: a conversation whose two
   * ends are at different processes would cost a failed append for each answer otherwise. Optional; a hint that is looked up.
   */
  heardMessage(conversationId: Uuid, seq: number): void;
  /** Finishes what an earlier process left half done (group changes without their system row). Call once at start. */
  recover(): Promise<void>;
}

export interface CorePorts {
  readonly log: MessageLog;
  readonly lists: ConversationLists;
  readonly receipts: Receipts;
  readonly groups: Groups;
  readonly users: Users;
  readonly relations: Relations;
  readonly settings: ConversationSettingsStore;
  readonly media: MediaAttachments;
  readonly fanOut: FanOutQueue;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who asks. */
export interface Caller {
  readonly userId: Uuid;
  readonly device: number;
}

export interface MessageDraft {
  readonly to: { readonly user: Uuid } | { readonly conversation: Uuid };
  readonly messageId: Uuid;
  readonly since: number;
  readonly readFrom?: number;
  readonly read?: number;
  readonly kind: number;
  readonly mediaId?: Uuid;
  readonly envelope: Uint8Array;
  /** Also push it to the device that sent it: an answer over HTTP does not reach the connection which that device may have. */
  readonly echo?: true;
}

export interface SentMessage {
  readonly conversationId: Uuid;
  readonly seq: number;
  readonly sentAt: number;
  readonly ucount: number;
  /** `sent`: only its sender sees it, so nobody will ever confirm it. */
  readonly maxStatus?: "sent";
}

/** Per connection: remembers, for each conversation, the send that failed and must come back first. Opaque to the server. */
export interface SendGate {
  readonly kind: "send-gate";
}

export interface DeliveryApi {
  createGate(): SendGate;
  /**
   * Resolves when the message and the list rows of all members are durable (large groups: the row of the sender, and the
   * jobs that write the others); pushes to the other devices start then.
   * Calls of one gate are taken in the order they are made. Idempotent by messageId.
   */
  send(caller: Caller, gate: SendGate, draft: MessageDraft): Promise<SentMessage>;
  /**
   * A draft that was refused for now before it came here (a rate limit). It takes its place in the order: later drafts to
   * its conversation are refused until it comes back, as if it had failed in `send`.
   */
  postpone(caller: Caller, gate: SendGate, draft: Pick<MessageDraft, "to" | "messageId">): void;
  /**
   * Whether neither of the two of a direct chat blocks the other, by what sends believe of it: at most a second late (I7),
   * at the moment it resolves. false also when that cannot be said just now. To be asked of a chat with a message in it.
   */
  hearEachOther(conversationId: Uuid, one: Uuid, other: Uuid): Promise<boolean>;
}

export interface ReceiptDraft {
  readonly conversationId: Uuid;
  readonly from: number;
  readonly seq: number;
}

export interface ReceiptOutcome {
  readonly accepted: boolean;
  readonly registers: Registers;
}

export interface ReceiptsApi {
  delivered(caller: Caller, draft: ReceiptDraft): Promise<ReceiptOutcome>;
  read(caller: Caller, draft: ReceiptDraft): Promise<ReceiptOutcome>;
  /** Who got it and who read it; with `seq` also counted for that message. One read of the receipts partition. */
  page(caller: Caller, conversationId: Uuid, seq: number | undefined): Promise<ReceiptsPage>;
}

export interface ReceiptsPage {
  readonly members: readonly {
    readonly userId: Uuid;
    readonly recvSeq: number;
    readonly recvAt: number;
    readonly readSeq: number;
    readonly readAt: number;
    readonly joinedSeq: number;
    readonly leftSeq: number;
  }[];
  readonly count: { readonly total: number; readonly delivered: number; readonly read: number } | undefined;
}

/** Rows in ascending seq; with `unreadable` and `gone` they cover [from, to] (from > to: nothing). */
export interface RowPage {
  readonly from: number;
  readonly to: number;
  readonly messages: readonly PageRow[];
  readonly unreadable: readonly SeqRun[];
  readonly gone: readonly SeqRun[];
  readonly hasMore: boolean;
}

export interface SyncPage extends RowPage {
  readonly conversationId: Uuid;
  readonly kind: ConversationKind;
  readonly peerId: Uuid | undefined;
  /** Of a group that the caller is a member of, on its first page of a call. */
  readonly name: string | undefined;
  readonly registers: Registers;
}

/** What the parts of one sync have done so far; the caller keeps it between them, and begins a sync with an empty one. */
export interface SyncProgress {
  /** Conversations that had their turn. At most as many as the caller has. */
  readonly turned: Set<Uuid>;
  /** Conversations of which nothing is left to fill. */
  readonly filled: Set<Uuid>;
}

export interface ReadingApi {
  /**
   * Every conversation in which any cursor differs from the stores, most recent first; `send` is awaited for each page,
   * so a slow socket slows the reading down. Answers a token if it stopped at its bound: call again with it, the same cursors
   * and the same `progress`.
   */
  sync(
    caller: Caller,
    cursors: ReadonlyMap<Uuid, SyncCursor>,
    page: string | undefined,
    send: (page: SyncPage) => Promise<void>,
    progress: SyncProgress,
  ): Promise<{ readonly next: string | undefined }>;
  range(caller: Caller, conversationId: Uuid, from: number, to: number): Promise<RowPage>;
  history(
    caller: Caller,
    conversationId: Uuid,
    before: { readonly seq: number } | { readonly time: number } | undefined,
    limit: number,
  ): Promise<RowPage>;
  /** The whole list, most recent first. */
  list(caller: Caller): Promise<readonly ListRow[]>;
  registers(caller: Caller, conversationId: Uuid): Promise<Registers>;
}

export type GroupRequest =
  | { readonly kind: "create"; readonly name: string; readonly userIds: readonly Uuid[] }
  | { readonly kind: "rename"; readonly name: string }
  | { readonly kind: "add" | "remove"; readonly userIds: readonly Uuid[] }
  | { readonly kind: "leave" }
  | { readonly kind: "role"; readonly userIds: readonly Uuid[]; readonly role: GroupRole };

export interface GroupsApi {
  /**
   * Commits a change, appends its system row, writes the list rows of everyone touched and tells their devices.
   * Idempotent by messageId (create: also by groupId). `expectedVersion`: the version the caller saw (create: 0).
   */
  change(
    caller: Caller,
    groupId: Uuid,
    messageId: Uuid,
    expectedVersion: number,
    request: GroupRequest,
  ): Promise<Group>;
  /** For members; others get `not_a_member` (or `no_such_conversation` if it never existed). */
  get(caller: Caller, groupId: Uuid): Promise<Group>;
  ofUser(caller: Caller): Promise<readonly Uuid[]>;
}

export interface PeopleApi {
  /** The profile as `caller` may see it. */
  profile(caller: Caller, userId: Uuid): Promise<VisibleProfile>;
  profileByHandle(caller: Caller, handle: string): Promise<VisibleProfile>;
  /** Of the users asked, those whose online state and last seen the caller may know. */
  mayWatch(caller: Caller, userIds: readonly Uuid[]): Promise<ReadonlySet<Uuid>>;
  block(caller: Caller, userId: Uuid, blocked: boolean): Promise<void>;
}

export interface VisibleProfile {
  readonly userId: Uuid;
  readonly handle: string;
  readonly displayName: string;
  readonly statusMessage?: string;
  readonly photoUrl?: string;
}
