import { z } from "zod";
import {
  deviceField,
  messageRow,
  pageRow,
  registersField,
  requestField,
  runField,
  seqField,
  timeField,
  uuidField,
  voidRow,
  watermarkField,
} from "../fields.ts";

/** What a server may send. A client ignores frame types and fields that it does not know. */
const conversationKind = z.enum(["direct", "group"]);

export const welcome = z.object({
  type: z.literal("WELCOME"),
  node: z.string(),
  connection: z.string(),
  user_id: uuidField,
  device: deviceField,
  server_time: timeField,
  heartbeat_ms: z.int().min(1),
  limits: z.record(z.string(), z.number()),
});

export const ack = z.object({
  type: z.literal("ACK"),
  request: requestField,
  message_id: uuidField,
  conversation_id: uuidField,
  seq: seqField,
  status: z.literal("sent"),
  sent_at: timeField,
  ucount: watermarkField,
  /** As in the row: nobody will ever confirm it. */
  max_status: z.literal("sent").optional(),
});

export const newMessage = z.union([
  messageRow.extend({ type: z.literal("NEW_MESSAGE"), conversation_id: uuidField }),
  voidRow.extend({ type: z.literal("NEW_MESSAGE"), conversation_id: uuidField }),
]);

export const receiptAck = z.object({
  type: z.literal("RECEIPT_ACK"),
  request: requestField,
  conversation_id: uuidField,
  /** False: the run does not connect to the registers below; fill what is missing and send it again. */
  accepted: z.boolean(),
  registers: registersField,
});

/** Watermarks of a member (or of the reader's own account, from another device). 0 = not told or nothing yet. */
export const statusUpdate = z.object({
  type: z.literal("STATUS_UPDATE"),
  conversation_id: uuidField,
  user_id: uuidField,
  recv_seq: watermarkField,
  read_seq: watermarkField,
  /** Only to the reader's own devices. */
  read_ucount: watermarkField.optional(),
});

/** Rows in ascending seq. Together with `unreadable` and `gone` they cover every seq of [from, to]; from > to = nothing. */
const page = {
  request: requestField,
  conversation_id: uuidField,
  from: seqField,
  to: watermarkField,
  messages: z.array(pageRow),
  unreadable: z.array(runField),
  gone: z.array(runField),
  has_more: z.boolean(),
};

export const syncMessages = z.object({
  type: z.literal("SYNC_MESSAGES"),
  ...page,
  kind: conversationKind,
  /** The other user of a direct chat. */
  peer_id: uuidField.optional(),
  /** Of a group; with its first page of a round, and only to those who are members now. */
  name: z.string().optional(),
  registers: registersField,
});
export const syncDone = z.object({ type: z.literal("SYNC_DONE"), request: requestField, next: z.string().optional() });
export const rangePage = z.object({ type: z.literal("RANGE_PAGE"), ...page });
export const historyPage = z.object({ type: z.literal("HISTORY_PAGE"), ...page });

export const receiptsPage = z.object({
  type: z.literal("RECEIPTS_PAGE"),
  request: requestField,
  conversation_id: uuidField,
  members: z.array(
    z.object({
      user_id: uuidField,
      recv_seq: watermarkField,
      recv_at: timeField,
      read_seq: watermarkField,
      read_at: timeField,
      /** The member's current or latest reading interval [joined_seq, left_seq); left_seq 0 = open. */
      joined_seq: watermarkField,
      left_seq: watermarkField,
    }),
  ),
  /** For the message asked about. */
  total: watermarkField.optional(),
  delivered: watermarkField.optional(),
  read: watermarkField.optional(),
});

export const heartbeatAck = z.object({ type: z.literal("HEARTBEAT_ACK"), server_time: timeField });
export const presence = z.object({
  type: z.literal("PRESENCE"),
  user_id: uuidField,
  online: z.boolean(),
  /** Absent when unknown or hidden by the user's settings. */
  last_seen: timeField.optional(),
});
export const typingPush = z.object({ type: z.literal("TYPING"), conversation_id: uuidField, user_id: uuidField });

/** The reader's own list row or the group behind it changed; `registers` are those of the reader. */
export const conversationUpdate = z.object({
  type: z.literal("CONVERSATION_UPDATE"),
  conversation_id: uuidField,
  kind: conversationKind,
  change: z.enum(["created", "renamed", "members", "left", "settings"]),
  name: z.string().optional(),
  membership: watermarkField.optional(),
  registers: registersField.optional(),
});

export const resync = z.object({ type: z.literal("RESYNC"), reason: z.string() });
export const reconnect = z.object({ type: z.literal("RECONNECT"), after_ms: z.int().min(0), reason: z.string() });
export const errorFrame = z.object({
  type: z.literal("ERROR"),
  request: z.string().optional(),
  code: z.string(),
  message: z.string(),
  temporary: z.boolean(),
  /** Sends only: the message may or may not be in the log; retry it, never drop it. */
  undecided: z.boolean().optional(),
  /** SYNC only: the conversation whose cursor is ahead. */
  conversation_id: uuidField.optional(),
  retry_after_ms: z.int().min(0).optional(),
});

export const serverFrameSchemas = {
  WELCOME: welcome,
  ACK: ack,
  NEW_MESSAGE: newMessage,
  RECEIPT_ACK: receiptAck,
  STATUS_UPDATE: statusUpdate,
  SYNC_MESSAGES: syncMessages,
  SYNC_DONE: syncDone,
  RANGE_PAGE: rangePage,
  HISTORY_PAGE: historyPage,
  RECEIPTS_PAGE: receiptsPage,
  HEARTBEAT_ACK: heartbeatAck,
  PRESENCE: presence,
  TYPING: typingPush,
  CONVERSATION_UPDATE: conversationUpdate,
  RESYNC: resync,
  RECONNECT: reconnect,
  ERROR: errorFrame,
} as const;

export type ServerFrameType = keyof typeof serverFrameSchemas;
export type ServerFrameOf<T extends ServerFrameType> = z.infer<(typeof serverFrameSchemas)[T]>;
export type ServerFrame = { [T in ServerFrameType]: ServerFrameOf<T> }[ServerFrameType];
