import { z } from "zod";
import {
  deviceField,
  kindField,
  requestField,
  runField,
  seqField,
  timeField,
  uuidField,
  uuidV7Field,
  watermarkField,
} from "../fields.ts";
import { limits } from "../limits.ts";

/** What a client may send. Unknown fields are ignored, so that the shape may grow; see docs/protocol.md. */
export const hello = z.object({
  type: z.literal("HELLO"),
  device: deviceField,
  client: z.object({ name: z.string().max(64), version: z.string().max(32) }),
});

export const sendMessage = z.object({
  type: z.literal("SEND_MESSAGE"),
  request: requestField,
  /** A user (direct chat; the server derives the conversation) or a conversation that exists. */
  to: z.union([z.object({ user: uuidField }), z.object({ conversation: uuidField })]),
  /** Made by the client, stored before the first send, the same on every retry. */
  message_id: uuidV7Field,
  /** The head that the client knew when it made the message (0 = none). The same on every retry. */
  since: watermarkField,
  /** The run of rows that the sender has viewed, ending at `read`. */
  read_from: seqField.optional(),
  read: seqField.optional(),
  kind: kindField,
  media_id: uuidField.optional(),
  /** Base64 of at most 64 KiB; opaque to the server, which answers `bad_envelope` to anything else. */
  envelope: z.string(),
});

const receipt = {
  request: requestField,
  conversation_id: uuidField,
  /** Together with `seq`: this device holds (or has shown) every row of [from, seq] that it may see. */
  from: seqField,
  seq: seqField,
};
export const delivered = z.object({ type: z.literal("DELIVERED"), ...receipt });
export const readReceipt = z.object({ type: z.literal("READ_RECEIPT"), ...receipt });

/** What a device knows of one conversation. Everything up to `seq` is filled, apart from `tail` (a newer run it also holds). */
export const cursor = z.object({
  conversation_id: uuidField,
  seq: watermarkField,
  read: watermarkField,
  peer_recv: watermarkField,
  peer_read: watermarkField,
  /** The register `left_seq` as the device knows it; absent = 0. */
  left: watermarkField.optional(),
  tail: runField.optional(),
});

export const sync = z.object({
  type: z.literal("SYNC"),
  request: requestField,
  cursors: z.array(cursor).max(limits.syncCursorsPerFrameMax),
  /** More cursors of the same request follow; the server answers the last frame. */
  more: z.boolean().optional(),
  /** `next` of the previous SYNC_DONE; the server still holds that round's cursors. */
  page: z.string().max(128).optional(),
});

export const range = z.object({
  type: z.literal("RANGE"),
  request: requestField,
  conversation_id: uuidField,
  from: seqField,
  to: seqField,
});

export const history = z.object({
  type: z.literal("HISTORY"),
  request: requestField,
  conversation_id: uuidField,
  /** Rows before this seq; neither bound = the newest. */
  before_seq: seqField.optional(),
  /** Rows sent before this time; ignored when before_seq is given. */
  before_time: timeField.optional(),
  limit: z.int().min(1).max(limits.pageRowsMax).optional(),
});

export const receipts = z.object({
  type: z.literal("RECEIPTS"),
  request: requestField,
  conversation_id: uuidField,
  /** Count for this message of the caller; without it only the members' watermarks are answered. */
  seq: seqField.optional(),
});

export const heartbeat = z.object({ type: z.literal("HEARTBEAT") });
export const typing = z.object({ type: z.literal("TYPING"), conversation_id: uuidField });
export const watch = z.object({ type: z.literal("WATCH"), user_ids: z.array(uuidField).max(limits.watchedUsersMax) });
export const unwatch = z.object({
  type: z.literal("UNWATCH"),
  user_ids: z.array(uuidField).max(limits.watchedUsersMax),
});

export const clientFrameSchemas = {
  HELLO: hello,
  SEND_MESSAGE: sendMessage,
  DELIVERED: delivered,
  READ_RECEIPT: readReceipt,
  SYNC: sync,
  RANGE: range,
  HISTORY: history,
  RECEIPTS: receipts,
  HEARTBEAT: heartbeat,
  TYPING: typing,
  WATCH: watch,
  UNWATCH: unwatch,
} as const;

export type ClientFrameType = keyof typeof clientFrameSchemas;
export type ClientFrameOf<T extends ClientFrameType> = z.infer<(typeof clientFrameSchemas)[T]>;
export type ClientFrame = { [T in ClientFrameType]: ClientFrameOf<T> }[ClientFrameType];
export type SendMessageFrame = ClientFrameOf<"SEND_MESSAGE">;
export type SyncFrame = ClientFrameOf<"SYNC">;
export type SyncCursor = z.infer<typeof cursor>;
