import type { Random } from "../../base/random.ts";
import type { PageRow, Registers, SeqRun } from "../../protocol/fields.ts";
import type { ClientFrame } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame, ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { MessageStatus, UnreadCount } from "../../protocol/receipt-math.ts";

/**
 * What the machine of one device is given and what it gives back. The machine does no I/O and owns no timer: its host
 * (the chat's runtime, a load worker with thousands of machines, the simulator) calls its inputs and carries out Effects.
 *
 * Every input takes the host's monotonic time in ms as its first argument; it must never go backwards.
 */

/** Which machine of the host speaks: chosen by the host, so that one Effects object can serve any number of machines. */
export type Owner = number;

export interface Effects {
  /** Hands one frame to the connection. Only called while connected; a frame that is lost means `disconnected` follows. */
  send(owner: Owner, frame: ClientFrame): void;
  /**
   * Records a change, after all earlier ones of this owner and atomically. True = durable now. False = `durable(n)` will be
   * called when it is, n = how many changes of this owner (since the machine was made) are durable.
   */
  persist(owner: Owner, change: Change): boolean;
  /**
   * Asks for `tick` at `atMs` or soon after. One request stands per owner: a new one replaces it. A tick that comes early
   * or without having been asked for is harmless.
   */
  wake(owner: Owner, atMs: number): void;
  emit(owner: Owner, event: ClientEvent): void;
  /** Opens a connection: `connected` or `disconnected` is called later, never from inside this call. */
  connect(owner: Owner): void;
  /** Closes the connection at once; the machine already counts it as gone and wants no `disconnected` for it. */
  disconnect(owner: Owner, reason: string): void;
}

/** Shared by all machines of a host. */
export interface MachineEnvironment {
  readonly effects: Effects;
  /** For jitter only. */
  readonly random: Random;
  readonly config: MachineConfig;
}

export interface MachineIdentity {
  readonly owner: Owner;
  readonly userId: Uuid;
  readonly device: number;
}

export interface MachineConfig {
  readonly clientName: string;
  readonly clientVersion: string;
  /** Wait before DELIVERED and READ_RECEIPT, so that a burst is one receipt. 0 = at once. */
  readonly receiptDelayMs: number;
  /** Wait before a hole is asked for, since pushes of two nodes may overtake each other. */
  readonly gapDelayMs: number;
  /** Sends in flight, per conversation and per connection. */
  readonly sendWindowPerConversation: number;
  readonly sendWindowPerConnection: number;
  readonly outboxEntriesMax: number;
  /** Rows kept while an earlier one is missing, per conversation; the rest is asked for again. */
  readonly heldRowsMax: number;
  readonly runsPerConversationMax: number;
  readonly rangesInFlightMax: number;
  readonly rangeRowsMax: number;
  /** Farther behind than this, a conversation is not filled row by row but as the server and the receipts see fit. */
  readonly behindRowsMax: number;
  /** An answer that did not come after this long is asked for again. */
  readonly answerTimeoutMs: number;
  readonly welcomeTimeoutMs: number;
  /** How long a retried send waits for the first sync of a new connection. */
  readonly syncHoldMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
  /** A connection is dead after this many heartbeat intervals without any frame. */
  readonly silenceHeartbeats: number;
}

export type ConversationKind = "direct" | "group";

/** What survives a restart of one conversation; the rows themselves are only in the storage. */
export interface ConversationRecord {
  readonly conversationId: Uuid;
  /** Undefined until the server told. */
  readonly kind: ConversationKind | undefined;
  readonly peerId: Uuid | undefined;
  readonly name: string | undefined;
  /** Every row of [start, filled] that this device may see is in the storage; older ones on demand. */
  readonly start: number;
  readonly filled: number;
  /** Newer runs that are held as well, ascending, above filled + 1. */
  readonly runs: readonly SeqRun[];
  /** Every row of (proven, filled] arrived as a row or a void: the part that may prove a message_id absent. */
  readonly proven: number;
  /** Highest held row of somebody else. */
  readonly foreign: number;
  /** The user has seen everything up to here on this device. */
  readonly viewed: number;
  /** What this device has to tell of it and got no answer for; 0 or absent = nothing. */
  readonly readOwed?: number;
  /** Highest seq known to exist. */
  readonly head: number;
  /** Whether the server has told the registers; until then they hold what rows and pushes showed. */
  readonly told: boolean;
  readonly registers: Registers;
}

/**
 * pending: will be sent again until answered. unknown: too old to prove (stale_since), or refused although an earlier
 * attempt may still arrive. failed: refused for good.
 */
export type OutboxState = "pending" | "unknown" | "failed";

export interface OutboxEntry {
  readonly messageId: Uuid;
  readonly conversationId: Uuid;
  readonly to: { readonly user: Uuid } | { readonly conversation: Uuid };
  readonly since: number;
  readonly readFrom: number | undefined;
  readonly read: number | undefined;
  readonly kind: number;
  readonly mediaId: Uuid | undefined;
  /** Base64. */
  readonly envelope: string;
  /** Wall time at which the user sent it, ms; shown until the server's own time is known. */
  readonly createdAt: number;
  /** Order of making, unique on this device. */
  readonly order: number;
  readonly state: OutboxState;
  /** Why it is unknown or failed. */
  readonly errorCode: string | undefined;
}

/** One atomic step of what the device remembers. `rows` belong to `conversation`. */
export interface Change {
  readonly conversation?: ConversationRecord;
  readonly rows?: readonly PageRow[];
  /** Rows of `conversation` that were stored earlier are gone. */
  readonly rowsCleared?: true;
  readonly outboxPut?: OutboxEntry;
  readonly outboxRemove?: Uuid;
}

/** What a machine is restored from. */
export interface StoredDevice {
  readonly conversations: readonly ConversationRecord[];
  readonly outbox: readonly OutboxEntry[];
}

export type ConnectionState = "stopped" | "waiting" | "connecting" | "greeting" | "ready";

/**
 * append: continues the newest run, no seq left out. jump: newer than everything held, with a hole before it.
 * fill: older than something held. history: asked for by loadHistory, below `start`.
 */
export type Placement = "append" | "jump" | "fill" | "history";

export type ClientEvent =
  | {
      readonly type: "connection";
      readonly state: ConnectionState;
      /** Close code, when a connection has just ended. */
      readonly code: number | undefined;
      /** When the next attempt starts, in the host's monotonic ms; only while waiting. */
      readonly retryAtMs: number | undefined;
    }
  /** Rows that were not held before, ascending; handed to `persist` in the same step. */
  | {
      readonly type: "rows";
      readonly conversationId: Uuid;
      readonly placement: Placement;
      readonly rows: readonly PageRow[];
    }
  | {
      readonly type: "sent";
      readonly conversationId: Uuid;
      readonly messageId: Uuid;
      readonly seq: number;
      readonly sentAt: number;
      /** `sent`: nobody will ever confirm it. */
      readonly maxStatus: "sent" | undefined;
    }
  | {
      readonly type: "send_failed";
      readonly conversationId: Uuid;
      readonly messageId: Uuid;
      readonly state: "unknown" | "failed";
      readonly code: string;
      readonly message: string;
    }
  /** A temporary error; the machine retries by itself. */
  | { readonly type: "send_delayed"; readonly messageId: Uuid; readonly code: string; readonly retryAtMs: number }
  /** Somebody's watermarks moved: `peerRecvSeq` and `peerReadSeq` of a direct chat, or those of one group member. */
  | {
      readonly type: "watermarks";
      readonly conversationId: Uuid;
      readonly userId: Uuid;
      readonly recvSeq: number;
      readonly readSeq: number;
    }
  /** Registers, name, membership or holes of a conversation changed. */
  | { readonly type: "conversation"; readonly conversationId: Uuid }
  | { readonly type: "receipts"; readonly conversationId: Uuid; readonly page: ServerFrameOf<"RECEIPTS_PAGE"> }
  | {
      readonly type: "history";
      readonly conversationId: Uuid;
      readonly from: number;
      readonly to: number;
      readonly hasMore: boolean;
    }
  /** No page will come for the last loadHistory; `code` of the wire error table, or `not_ready` (the connection ended). */
  | {
      readonly type: "history_failed";
      readonly conversationId: Uuid;
      readonly code: string;
      readonly message: string;
    }
  /** The server has other data than before: all rows of the conversation are gone here, and those that exist now follow. */
  | { readonly type: "dropped"; readonly conversationId: Uuid }
  | {
      readonly type: "presence";
      readonly userId: Uuid;
      readonly online: boolean;
      readonly lastSeen: number | undefined;
    }
  | { readonly type: "typing"; readonly conversationId: Uuid; readonly userId: Uuid }
  /** Every conversation was compared with the server; background filling may go on. */
  | { readonly type: "synced" }
  /** A request other than a send was refused for good. */
  | { readonly type: "refused"; readonly request: string | undefined; readonly code: string; readonly message: string };

export interface MessageToSend {
  /** A UUIDv7 made by the caller. */
  readonly messageId: Uuid;
  readonly to: { readonly user: Uuid } | { readonly conversation: Uuid };
  readonly kind: number;
  readonly mediaId?: Uuid;
  /** Base64 of at most envelopeBytesMax bytes. */
  readonly envelope: string;
  /** Wall time, ms. */
  readonly createdAt: number;
}

/** Whether a message was taken into the outbox. */
export type SendOutcome = "queued" | "outbox_full" | "duplicate_id";
/** An undecided message may be in the log already: it can only be sent on, not dropped. */
export type DiscardOutcome = "discarded" | "undecided" | "no_such_message";

/** What arrived and was done; for the load harness and for tests. Plain counters, never reset. */
export interface MachineCounters {
  /** Rows that were held already. */
  duplicateRows: number;
  /** Rows dropped because too many waited for a missing one; they are asked for again. */
  overflowedRows: number;
  rangesSent: number;
  receiptsSent: number;
  receiptsRefused: number;
  resends: number;
  syncs: number;
  reconnects: number;
  /** Pages that did not cover what they claim. */
  violations: number;
}

/** A conversation as its user sees it, derived from what the device knows. */
export interface ConversationView {
  readonly conversationId: Uuid;
  readonly kind: ConversationKind | undefined;
  readonly peerId: Uuid | undefined;
  readonly name: string | undefined;
  /** Highest seq known to exist. */
  readonly head: number;
  readonly start: number;
  readonly filled: number;
  /** Rows are missing between start and head and are being asked for. */
  readonly filling: boolean;
  readonly viewed: number;
  readonly registers: Registers;
  /** Countable rows of others after the read watermark; undefined when own rows lie in between: count the rows. */
  readonly unread: UnreadCount | undefined;
}

/** The rules of one device. See machine.ts for the actors and states. */
export interface Machine {
  readonly owner: Owner;
  readonly userId: Uuid;
  readonly device: number;
  readonly connectionState: ConnectionState;
  readonly counters: Readonly<MachineCounters>;

  /** Begins to connect, at once. Nothing happens if it is already connecting or connected. */
  start(nowMs: number): void;
  /** Closes the connection and stays away until `start`. What is unfinished stays in the outbox. */
  stop(nowMs: number): void;

  /** The connection that Effects.connect asked for is open. */
  connected(nowMs: number): void;
  /** It ended or could not be opened; `code` as in close-codes.ts, 1006 for network ends and refused upgrades. */
  disconnected(nowMs: number, code: number): void;
  frame(nowMs: number, frame: ServerFrame): void;
  tick(nowMs: number): void;
  /** The first `changes` changes given to Effects.persist since this machine was made are durable. */
  durable(nowMs: number, changes: number): void;

  send(nowMs: number, message: MessageToSend): SendOutcome;
  discard(nowMs: number, messageId: Uuid): DiscardOutcome;
  /** Sends an unknown or failed message again as `newMessageId`, at the end of its conversation. False: no such message. */
  sendAgain(nowMs: number, messageId: Uuid, newMessageId: Uuid): boolean;
  /** The user has seen every row up to `seq` (clamped to what is held). Repeating is harmless. */
  markRead(nowMs: number, conversationId: Uuid, seq: number): void;
  /** Groups: pulls who got and read what, now (or once the server has shown the conversation) and after each connect, until closed. */
  openConversation(nowMs: number, conversationId: Uuid): void;
  closeConversation(nowMs: number, conversationId: Uuid): void;
  /** Asks for up to `limit` rows before `start`; answered by `rows` (history) and `history`, or `history_failed`. False: not connected, or one is asked for already. */
  loadHistory(nowMs: number, conversationId: Uuid, limit: number): boolean;
  typing(nowMs: number, conversationId: Uuid): void;
  /** Replaces the set of users whose presence is pushed; kept over reconnects. At most watchedUsersMax. */
  watch(nowMs: number, userIds: readonly Uuid[]): void;

  conversationIds(): Iterable<Uuid>;
  conversation(conversationId: Uuid): ConversationView | undefined;
  /** Unanswered messages in the order of making, all conversations or one. */
  outbox(conversationId?: Uuid): readonly OutboxEntry[];
  /** Status of an own row. Groups: `sent`; ask for receipts to know more. */
  statusOf(conversationId: Uuid, seq: number, maxStatus: "sent" | undefined): MessageStatus;
}
