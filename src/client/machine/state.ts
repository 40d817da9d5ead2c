import type { PageRow, Registers, SeqRun } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { unknownRegisters } from "./registers.ts";
import type {
  ConnectionState,
  ConversationKind,
  ConversationRecord,
  MachineCounters,
  MachineEnvironment,
  MachineIdentity,
  OutboxEntry,
  Owner,
} from "./types.ts";

/**
 * The memory of one device, as plain fields that the operations of this folder change. Everything that an idle device
 * does not need (maps, sets, queues) is made on first use: a load worker holds ten thousand of these.
 * Deadlines are monotonic ms, Infinity = none.
 */
export class DeviceState {
  readonly environment: MachineEnvironment;
  readonly owner: Owner;
  readonly userId: Uuid;
  readonly device: number;
  readonly counters: MachineCounters = createCounters();

  connectionState: ConnectionState = "stopped";
  /** Failed attempts since the last connection that got as far as a finished sync. */
  attempts = 0;
  /** When to connect (waiting), to give up waiting for WELCOME (greeting) or to move to another node (ready). */
  connectionAt = Infinity;
  heartbeatMs = 0;
  heartbeatAt = Infinity;
  heardAt = 0;
  requestCounter = 0;

  syncRequest: string | undefined = undefined;
  syncAt = Infinity;
  syncAgain = false;
  syncAttempts = 0;
  /** Whether this connection has finished a round. */
  synced = false;
  /** Until when retried sends wait for the first sync. */
  holdUntil = 0;

  readonly conversations = new Map<Uuid, ConversationState>();
  /** Opened before the server has shown them. */
  openWishes: Set<Uuid> | undefined = undefined;
  /** Direct conversations by peer, as far as this process has sent there: the hash costs more than the rest of a send. */
  directs: Map<Uuid, ConversationState> | undefined = undefined;
  /** Conversations with a deadline. */
  attention: Set<ConversationState> | undefined = undefined;
  attentionAt = Infinity;
  wakeAt = Infinity;

  /** Every message without a final answer, in the order of making. */
  outbox: Map<Uuid, PendingSend> | undefined = undefined;
  orderCounter = 0;
  sendsInFlight = 0;
  windowWaiters: Set<ConversationState> | undefined = undefined;
  rangesInFlight = 0;
  rangeWaiters: Set<ConversationState> | undefined = undefined;

  changes = 0;
  /** What waits for the storage, oldest first. */
  undurable: UndurableChange[] | undefined = undefined;
  watched: readonly Uuid[] = [];

  constructor(environment: MachineEnvironment, identity: MachineIdentity) {
    this.environment = environment;
    this.owner = identity.owner;
    this.userId = identity.userId;
    this.device = identity.device;
  }
}

export interface UndurableChange {
  /** Durable once the storage reports at least this many. */
  readonly changes: number;
  readonly conversation: ConversationState | undefined;
  readonly filled: number;
  readonly foreign: number;
  readonly pending: PendingSend | undefined;
}

export class ConversationState {
  readonly conversationId: Uuid;
  kind: ConversationKind | undefined = undefined;
  peerId: Uuid | undefined = undefined;
  name: string | undefined = undefined;
  /** Newest version of a group that this process was told by a push; 0 = none. */
  membership = 0;
  registers: Registers = unknownRegisters;
  told = false;
  open = false;

  start = 1;
  filled = 0;
  runs: readonly SeqRun[] = noRuns;
  proven = 0;
  foreign = 0;
  viewed = 0;
  /** What receipts of this device said, or have to say, and no answer has come for; 0 = nothing. */
  readOwed = 0;
  deliveredOwed = 0;
  head = 0;
  /** `filled` and `foreign` as far as the storage has made them durable. */
  stored = 0;
  storedForeign = 0;

  /** Live rows above the newest run, waiting for the one before them. */
  held: Map<number, PageRow> | undefined = undefined;
  /** Rows from here on are needed although older than `start`: a receipt was refused for want of them. */
  neededFrom = Infinity;
  gapAt = Infinity;
  gapAttempts = 0;
  /** A sync was asked for to close the hole; if it did not, RANGE must. */
  syncTried = false;
  rangeRequest: string | undefined = undefined;
  rangeSentAt = 0;
  /** The server refused ranges of it for good; until the next sync. */
  closed = false;
  historyRequest: string | undefined = undefined;

  /** Own messages still to be answered, in order; the first `queueSent` are in flight. */
  queue: PendingSend[] | undefined = undefined;
  queueSent = 0;
  retryAt = 0;
  retryAttempts = 0;
  /** Sends in flight at most, as learnt: one after a temporary error, one more with each ACK; at most the configured window. */
  window = Infinity;

  delivered: ReceiptState | undefined = undefined;
  read: ReceiptState | undefined = undefined;

  nextAt = Infinity;

  constructor(conversationId: Uuid) {
    this.conversationId = conversationId;
  }
}

/** One of the two receipts of a conversation: at most one is in flight, the newest claim goes next. */
export class ReceiptState {
  request: string | undefined = undefined;
  sentAt = 0;
  sentSeq = 0;
  at = Infinity;
  attempts = 0;
  /** A claim refused although nothing is missing here: not repeated on this connection. */
  refusedSeq = 0;
}

/** An outbox entry and what this process knows of its fate. */
export class PendingSend {
  entry: OutboxEntry;
  /** Durable: may be sent. */
  stored: boolean;
  /** May have left this device, now or before a restart. */
  attempted: boolean;
  /** May be in the log although no ACK came. */
  undecided: boolean;
  request: string | undefined = undefined;
  sentAt = 0;

  constructor(entry: OutboxEntry, restored: boolean) {
    this.entry = entry;
    this.stored = restored;
    this.attempted = restored;
    this.undecided = restored && entry.state === "pending";
  }
}

const noRuns: readonly SeqRun[] = [];

function createCounters(): MachineCounters {
  return {
    duplicateRows: 0,
    overflowedRows: 0,
    rangesSent: 0,
    receiptsSent: 0,
    receiptsRefused: 0,
    resends: 0,
    syncs: 0,
    reconnects: 0,
    violations: 0,
  };
}

export function obtainConversation(device: DeviceState, conversationId: Uuid): ConversationState {
  const known = device.conversations.get(conversationId);
  if (known !== undefined) return known;
  const made = new ConversationState(conversationId);
  device.conversations.set(conversationId, made);
  return made;
}

export function restoreConversation(device: DeviceState, record: ConversationRecord): void {
  const conversation = obtainConversation(device, record.conversationId);
  conversation.kind = record.kind;
  conversation.peerId = record.peerId;
  conversation.name = record.name;
  conversation.registers = record.registers;
  conversation.told = record.told;
  conversation.start = record.start;
  conversation.filled = record.filled;
  conversation.runs = record.runs;
  conversation.proven = record.proven;
  conversation.foreign = record.foreign;
  conversation.viewed = record.viewed;
  conversation.readOwed = record.readOwed ?? 0;
  conversation.head = record.head;
  conversation.stored = record.filled;
  conversation.storedForeign = record.foreign;
}

export function toRecord(conversation: ConversationState): ConversationRecord {
  return {
    conversationId: conversation.conversationId,
    kind: conversation.kind,
    peerId: conversation.peerId,
    name: conversation.name,
    start: conversation.start,
    filled: conversation.filled,
    runs: conversation.runs,
    proven: conversation.proven,
    foreign: conversation.foreign,
    viewed: conversation.viewed,
    readOwed: conversation.readOwed,
    head: conversation.head,
    told: conversation.told,
    registers: conversation.registers,
  };
}

/** End of the newest run that is held: the next live row continues here. */
export function frontierOf(conversation: ConversationState): number {
  const newest = conversation.runs.at(-1);
  return newest === undefined ? conversation.filled : newest[1];
}

/** Short and unique on this device; the letter says what kind of answer to expect. */
export function nextRequest(device: DeviceState, letter: string): string {
  return letter + (device.requestCounter++).toString(36);
}
