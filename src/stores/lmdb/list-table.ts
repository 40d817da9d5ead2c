import type { ListRow } from "../../core/model.ts";
import { formatUuid, parseUuid } from "../../protocol/ids.ts";
import { uuidOfKey } from "./keys.ts";
import type { Table } from "./tables.ts";

const groupFlag = 1;
const peerFlag = 2;
const senderFlag = 4;

const registersAt = 33;
const registers = 15;
const rowBytes = registersAt + registers * 6;

/** user, conversation → list row. Fixed fields in raw bytes: two of these are written for every direct message. */
export const lists: Table<ListRow> = {
  name: "lists",

  encode(row) {
    // From the pool and cleared where nothing is written: much faster than memory that comes cleared.
    const bytes = Buffer.allocUnsafe(rowBytes);
    bytes[0] =
      (row.kind === "group" ? groupFlag : 0) |
      (row.peerId === undefined ? 0 : peerFlag) |
      (row.lastSender === undefined ? 0 : senderFlag);
    if (row.peerId === undefined) bytes.fill(0, 1, 17);
    else parseUuid(row.peerId, bytes, 1);
    if (row.lastSender === undefined) bytes.fill(0, 17, registersAt);
    else parseUuid(row.lastSender, bytes, 17);
    // In the order of decode, 6 bytes each; written out, since a loop over names costs twice as much.
    let at = bytes.writeUIntBE(row.joinedSeq, registersAt, 6);
    at = bytes.writeUIntBE(row.leftSeq, at, 6);
    at = bytes.writeUIntBE(row.leftUcount, at, 6);
    at = bytes.writeUIntBE(row.membershipSeq, at, 6);
    at = bytes.writeUIntBE(row.lastSeq, at, 6);
    at = bytes.writeUIntBE(row.lastUcount, at, 6);
    at = bytes.writeUIntBE(row.lastAt, at, 6);
    at = bytes.writeUIntBE(row.ownSeq, at, 6);
    at = bytes.writeUIntBE(row.recvSeq, at, 6);
    at = bytes.writeUIntBE(row.readSeq, at, 6);
    at = bytes.writeUIntBE(row.readUcount, at, 6);
    at = bytes.writeUIntBE(row.peerRecvSeq, at, 6);
    at = bytes.writeUIntBE(row.peerReadSeq, at, 6);
    at = bytes.writeUIntBE(row.clearedSeq, at, 6);
    bytes.writeUIntBE(row.checkedSeq, at, 6);
    return bytes;
  },

  decode(bytes, key) {
    const flags = bytes[0] as number;
    const register = (index: number): number => bytes.readUIntBE(registersAt + index * 6, 6);
    return {
      conversationId: uuidOfKey(key, 16),
      kind: (flags & groupFlag) === 0 ? "direct" : "group",
      ...((flags & peerFlag) === 0 ? {} : { peerId: formatUuid(bytes, 1) }),
      joinedSeq: register(0),
      leftSeq: register(1),
      leftUcount: register(2),
      membershipSeq: register(3),
      lastSeq: register(4),
      lastUcount: register(5),
      ...((flags & senderFlag) === 0 ? {} : { lastSender: formatUuid(bytes, 17) }),
      lastAt: register(6),
      ownSeq: register(7),
      recvSeq: register(8),
      readSeq: register(9),
      readUcount: register(10),
      peerRecvSeq: register(11),
      peerReadSeq: register(12),
      clearedSeq: register(13),
      checkedSeq: register(14),
    };
  },
};
