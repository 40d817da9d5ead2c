import type { ReceiptRow } from "../../core/model.ts";
import { uuidOfKey } from "./keys.ts";
import type { Table } from "./tables.ts";

/** conversation, user → watermarks. Fixed fields in raw bytes: at least one of these is written for every message. */
export const receipts: Table<ReceiptRow> = {
  name: "receipts",

  encode(row) {
    const bytes = Buffer.allocUnsafe(24);
    bytes.writeUIntBE(row.recvSeq, 0, 6);
    bytes.writeUIntBE(row.recvAt, 6, 6);
    bytes.writeUIntBE(row.readSeq, 12, 6);
    bytes.writeUIntBE(row.readAt, 18, 6);
    return bytes;
  },

  decode: (bytes, key) => ({
    userId: uuidOfKey(key, 16),
    recvSeq: bytes.readUIntBE(0, 6),
    recvAt: bytes.readUIntBE(6, 6),
    readSeq: bytes.readUIntBE(12, 6),
    readAt: bytes.readUIntBE(18, 6),
  }),
};
