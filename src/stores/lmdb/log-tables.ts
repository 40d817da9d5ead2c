import type { LogHead, LogRow, Visibility } from "../../core/model.ts";
import { formatUuid, parseUuid } from "../../protocol/ids.ts";
import { descendingNumber } from "./keys.ts";
import type { Table } from "./tables.ts";

/**
 * The message log's two tables, on the path of every message: fixed fields in raw bytes, big-endian, which costs a third
 * of what a general encoding does and makes every row as long as it must be.
 */

const fixedBytes = 50;
const mediaFlag = 2;

/** conversation, seq descending → row. */
export const messages: Table<LogRow> = {
  name: "messages",

  encode(row) {
    const at = fixedBytes + (row.mediaId === undefined ? 0 : 16);
    const bytes = Buffer.allocUnsafe(at + row.envelope.length);
    bytes[0] = row.kind;
    bytes[1] = row.visibility | (row.mediaId === undefined ? 0 : mediaFlag);
    bytes.writeUInt32BE(row.senderDevice, 2);
    bytes.writeUIntBE(row.sentAt, 6, 6);
    bytes.writeUIntBE(row.ucount, 12, 6);
    parseUuid(row.messageId, bytes, 18);
    parseUuid(row.senderId, bytes, 34);
    if (row.mediaId !== undefined) parseUuid(row.mediaId, bytes, fixedBytes);
    bytes.set(row.envelope, at);
    return bytes;
  },

  decode(bytes, key) {
    const flags = bytes[1] as number;
    const hasMedia = (flags & mediaFlag) !== 0;
    return {
      seq: descendingNumber(key),
      messageId: formatUuid(bytes, 18),
      senderId: formatUuid(bytes, 34),
      senderDevice: bytes.readUInt32BE(2),
      sentAt: bytes.readUIntBE(6, 6),
      kind: bytes[0] as number,
      visibility: (flags & 1) as Visibility,
      ucount: bytes.readUIntBE(12, 6),
      ...(hasMedia ? { mediaId: formatUuid(bytes, fixedBytes) } : {}),
      envelope: Buffer.from(bytes.subarray(fixedBytes + (hasMedia ? 16 : 0))),
    };
  },
};

/** conversation, bucket descending → the statics of the bucket, so that the first key of a conversation is its newest. */
export const buckets: Table<LogHead> = {
  name: "buckets",

  encode(head) {
    const bytes = Buffer.allocUnsafe(24);
    bytes.writeUIntBE(head.head, 0, 6);
    bytes.writeUIntBE(head.headUcount, 6, 6);
    bytes.writeUIntBE(head.headAt, 12, 6);
    bytes.writeUIntBE(head.membership, 18, 6);
    return bytes;
  },

  decode: (bytes) => ({
    head: bytes.readUIntBE(0, 6),
    headUcount: bytes.readUIntBE(6, 6),
    headAt: bytes.readUIntBE(12, 6),
    membership: bytes.readUIntBE(18, 6),
  }),
};
