import type { ListRow } from "../../core/model.ts";
import { formatUuid, parseUuid } from "../../protocol/ids.ts";
import { uuidOfKey } from "./keys.ts";
import type { Table } from "./tables.ts";

const groupFlag = 1;
const peerFlag = 2;
const senderFlag = 4;

/** The registers in the order in which they are stored, 6 bytes each, big-endian. Part of the data's format. */
const registers = [
  "joinedSeq",
  "leftSeq",
  "leftUcount",
  "membershipSeq",
  "lastSeq",
  "lastUcount",
  "lastAt",
  "ownSeq",
  "recvSeq",
  "readSeq",
  "readUcount",
  "peerRecvSeq",
  "peerReadSeq",
  "clearedSeq",
  "checkedSeq",
] as const satisfies readonly (keyof ListRow)[];

const registersAt = 33;
const rowBytes = registersAt + registers.length * 6;

/** user, conversation → list row. Fixed fields in raw bytes: two of these are written for every direct message. */
export const lists: Table<ListRow> = {
  name: "lists",

  encode(row) {
    // Pooled and then cleared: five times as fast here as memory that comes cleared.
    const bytes = Buffer.allocUnsafe(rowBytes).fill(0, 0, registersAt);
    bytes[0] =
      (row.kind === "group" ? groupFlag : 0) |
      (row.peerId === undefined ? 0 : peerFlag) |
      (row.lastSender === undefined ? 0 : senderFlag);
    if (row.peerId !== undefined) parseUuid(row.peerId, bytes, 1);
    if (row.lastSender !== undefined) parseUuid(row.lastSender, bytes, 17);
    let at = registersAt;
    for (const register of registers) at = bytes.writeUIntBE(row[register], at, 6);
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
