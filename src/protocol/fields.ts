import { z } from "zod";
import { isUuidV7 } from "./ids.ts";
import { kindMax } from "./kinds.ts";
import { limits } from "./limits.ts";

/** The fields that frames and HTTP bodies share. */
export const uuidField = z
  .string()
  .regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, "not a lower-case UUID");
export const uuidV7Field = z.string().refine(isUuidV7, "not a lower-case UUIDv7");
/** Position of a message in its conversation, from 1. */
export const seqField = z.int().min(1);
/** A watermark or cursor: a seq, or 0 for "nothing yet". */
export const watermarkField = z.int().min(0);
export const requestField = z.string().min(1).max(limits.requestIdLengthMax);
/** Milliseconds since the Unix epoch. */
export const timeField = z.int().min(0);
export const deviceField = z.int().min(1).max(0x7fff_ffff);
export const kindField = z.int().min(0).max(kindMax);
export const runField = z.tuple([seqField, seqField]);

/** Phone-shaped (E.164: `+` and 7–15 digits) or a name that starts with a letter; unique whatever the case of its letters. */
export const handleField = z
  .string()
  .min(limits.handleLengthMin)
  .max(limits.handleLengthMax)
  .regex(/^(?:\+[1-9][0-9]{6,14}|[A-Za-z][A-Za-z0-9._-]*)$/, "neither a phone number (+491234567) nor a name");

/** A row of a conversation as its reader sees it. A void row fills a hole and shows nothing. */
export const messageRow = z.object({
  seq: seqField,
  message_id: uuidField,
  sender: z.object({ user: uuidField, device: z.int().min(0) }),
  sent_at: timeField,
  kind: kindField,
  envelope: z.string(),
  media_id: uuidField.optional(),
  ucount: watermarkField,
  /** `sent`: no recipient will ever confirm this row (own message to someone who blocked the sender). */
  max_status: z.literal("sent").optional(),
});
export const voidRow = z.object({ seq: seqField, kind: z.literal(0) });
export const pageRow = z.union([messageRow, voidRow]);

/** The reader's own registers in one conversation; each only ever grows, but for a rejoin (joined_seq > left_seq again). */
export const registersField = z.object({
  last_seq: watermarkField,
  last_ucount: watermarkField,
  last_at: timeField,
  own_seq: watermarkField,
  recv_seq: watermarkField,
  read_seq: watermarkField,
  read_ucount: watermarkField,
  peer_recv_seq: watermarkField,
  peer_read_seq: watermarkField,
  joined_seq: watermarkField,
  /** 0 = has not left since joining. */
  left_seq: watermarkField,
  cleared_seq: watermarkField,
});

export type MessageRow = z.infer<typeof messageRow>;
export type VoidRow = z.infer<typeof voidRow>;
export type PageRow = z.infer<typeof pageRow>;
export type Registers = z.infer<typeof registersField>;
/** Inclusive run of seqs. */
export type SeqRun = readonly [from: number, to: number];

export function isVoid(row: PageRow): row is VoidRow {
  return row.kind === 0;
}
