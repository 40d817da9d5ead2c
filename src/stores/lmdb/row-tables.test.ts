import fc from "fast-check";
import { expect, test } from "vitest";
import type { ListRow, LogRow, ReceiptRow } from "../../core/model.ts";
import { uuidDescendingKey, uuidPairKey, type Key } from "./keys.ts";
import { lists } from "./list-table.ts";
import { buckets, messages } from "./log-tables.ts";
import { receipts } from "./receipt-table.ts";
import type { Table } from "./tables.ts";

const id = fc.uuid();
const register = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 2 ** 32, 2 ** 48 - 1));

/** Through bytes that lie in the middle of others and are overwritten afterwards, as the driver's are. */
function throughBytes<Value>(table: Table<Value>, key: Key, value: Value): Value {
  const bytes = table.encode(value);
  const around = Buffer.alloc(bytes.length + 64, 0xee);
  around.set(bytes, 32);
  const read = table.decode(around.subarray(32, 32 + bytes.length), key);
  around.fill(0xdd);
  return read;
}

test("log rows", () => {
  const row: fc.Arbitrary<LogRow> = fc.record(
    {
      seq: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      messageId: id,
      senderId: id,
      senderDevice: fc.nat({ max: 2 ** 32 - 1 }),
      sentAt: register,
      kind: fc.nat({ max: 127 }),
      visibility: fc.constantFrom(0 as const, 1 as const),
      ucount: register,
      mediaId: id,
      envelope: fc.uint8Array({ maxLength: 300 }),
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        "seq",
        "messageId",
        "senderId",
        "senderDevice",
        "sentAt",
        "kind",
        "visibility",
        "ucount",
        "envelope",
      ],
    },
  );
  fc.assert(
    fc.property(id, row, (conversation, written) => {
      const read = throughBytes(messages, uuidDescendingKey(conversation, written.seq), written);
      expect({ ...read, envelope: [...read.envelope] }).toStrictEqual({ ...written, envelope: [...written.envelope] });
    }),
  );
});

test("the end of a log", () => {
  const head = fc.record(
    { head: register, headUcount: register, headAt: register, membership: register },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(id, head, (conversation, written) => {
      expect(throughBytes(buckets, uuidDescendingKey(conversation, 3), written)).toStrictEqual(written);
    }),
  );
});

test("list rows", () => {
  const row: fc.Arbitrary<ListRow> = fc.record(
    {
      conversationId: id,
      kind: fc.constantFrom("direct" as const, "group" as const),
      peerId: id,
      joinedSeq: register,
      leftSeq: register,
      leftUcount: register,
      membershipSeq: register,
      lastSeq: register,
      lastUcount: register,
      lastSender: id,
      lastAt: register,
      ownSeq: register,
      recvSeq: register,
      readSeq: register,
      readUcount: register,
      peerRecvSeq: register,
      peerReadSeq: register,
      clearedSeq: register,
      checkedSeq: register,
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        "conversationId",
        "kind",
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
      ],
    },
  );
  fc.assert(
    fc.property(id, row, (user, written) => {
      expect(throughBytes(lists, uuidPairKey(user, written.conversationId), written)).toStrictEqual(written);
    }),
  );
});

test("receipts", () => {
  const row: fc.Arbitrary<ReceiptRow> = fc.record(
    { userId: id, recvSeq: register, recvAt: register, readSeq: register, readAt: register },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(id, row, (conversation, written) => {
      expect(throughBytes(receipts, uuidPairKey(conversation, written.userId), written)).toStrictEqual(written);
    }),
  );
});
