import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PageRow } from "./fields.ts";
import { kinds } from "./kinds.ts";
import { limits } from "./limits.ts";
import {
  countReceipts,
  countUnreadRows,
  directMessageStatus,
  groupMessageStatus,
  unreadByRegisters,
  type MemberWatermarks,
} from "./receipt-math.ts";

function member(userId: string, recvSeq: number, readSeq: number, joinedSeq = 1, leftSeq = 0): MemberWatermarks {
  return { userId, recvSeq, readSeq, joinedSeq, leftSeq };
}

describe("countReceipts", () => {
  test("counts the members that hold the message, without its sender", () => {
    const members = [member("me", 9, 9), member("a", 9, 5), member("b", 9, 9), member("c", 4, 4)];
    expect(countReceipts(members, "me", 8)).toEqual({ total: 3, delivered: 2, read: 1 });
  });

  test("who has read it has it, even if no delivery was told", () => {
    expect(countReceipts([member("a", 2, 8)], "me", 8)).toEqual({ total: 1, delivered: 1, read: 1 });
  });

  test("who joined later is not counted, who joined with the very row is", () => {
    expect(countReceipts([member("late", 8, 8, 9), member("with", 8, 8, 8)], "me", 8).total).toBe(1);
  });

  test("a join that is not in the log yet is not counted", () => {
    expect(countReceipts([member("a", 0, 0, 0)], "me", 8).total).toBe(0);
  });

  test("one who left counts only if the message arrived before", () => {
    const members = [member("got", 8, 3, 1, 10), member("missed", 7, 7, 1, 10), member("before", 9, 9, 1, 8)];
    expect(countReceipts(members, "me", 8)).toEqual({ total: 1, delivered: 1, read: 0 });
  });

  test("never more read than delivered, nor more delivered than members", () => {
    const seq = fc.integer({ min: 0, max: 12 });
    const members = fc.array(
      fc.record({ userId: fc.constantFrom("a", "b", "c"), recvSeq: seq, readSeq: seq, joinedSeq: seq, leftSeq: seq }),
    );
    fc.assert(
      fc.property(members, seq, (list, at) => {
        const { total, delivered, read } = countReceipts(list, "a", at);
        expect(read).toBeLessThanOrEqual(delivered);
        expect(delivered).toBeLessThanOrEqual(total);
      }),
    );
  });
});

describe("status of an own message", () => {
  test("a group message has the status that everyone reached", () => {
    expect(groupMessageStatus({ total: 3, delivered: 3, read: 3 })).toBe("read");
    expect(groupMessageStatus({ total: 3, delivered: 3, read: 2 })).toBe("delivered");
    expect(groupMessageStatus({ total: 3, delivered: 2, read: 2 })).toBe("sent");
    expect(groupMessageStatus({ total: 0, delivered: 0, read: 0 })).toBe("sent");
  });

  test("a direct message follows the peer's watermarks", () => {
    const registers = { peer_recv_seq: 7, peer_read_seq: 5 };
    expect(directMessageStatus(5, registers, undefined)).toBe("read");
    expect(directMessageStatus(7, registers, undefined)).toBe("delivered");
    expect(directMessageStatus(8, registers, undefined)).toBe("sent");
  });

  test("a message that was never shown to the peer stays at sent, whatever the watermarks pass over", () => {
    expect(directMessageStatus(5, { peer_recv_seq: 9, peer_read_seq: 9 }, "sent")).toBe("sent");
  });
});

describe("unread", () => {
  const row = (seq: number, user: string, kind: number): PageRow => ({
    seq,
    message_id: "m",
    sender: { user, device: 1 },
    sent_at: 0,
    kind,
    envelope: "",
    ucount: 0,
  });

  test("is exact by registers as long as the reader wrote nothing after what it read", () => {
    expect(unreadByRegisters({ last_ucount: 9, own_seq: 4, read_seq: 4, read_ucount: 3 })).toEqual({
      count: 6,
      more: false,
    });
    expect(unreadByRegisters({ last_ucount: 9, own_seq: 5, read_seq: 4, read_ucount: 3 })).toBeUndefined();
  });

  test("counts others' countable rows after what was read", () => {
    const rows: PageRow[] = [
      row(1, "a", kinds.text),
      row(2, "a", kinds.text),
      row(3, "me", kinds.text),
      row(4, "a", kinds.reaction),
      { seq: 5, kind: 0 },
      row(6, "a", kinds.media),
      row(7, "a", kinds.system),
      row(8, "b", kinds.reply),
    ];
    expect(countUnreadRows(rows, 1, "me")).toEqual({ count: 3, more: false });
  });

  test("stops at its bound and says that there may be more", () => {
    const rows = Array.from({ length: limits.unreadCountMax + 1 }, (_, index) => row(index + 1, "a", kinds.text));
    expect(countUnreadRows(rows, 0, "me")).toEqual({ count: limits.unreadCountMax, more: true });
    expect(countUnreadRows(rows.slice(1), 0, "me")).toEqual({ count: limits.unreadCountMax, more: false });
  });

  test("both ways of counting agree wherever the registers are exact", () => {
    const kind = fc.constantFrom(kinds.text, kinds.reaction, kinds.system, kinds.reply);
    const log = fc.array(fc.record({ mine: fc.boolean(), kind }), { maxLength: 20 });
    fc.assert(
      fc.property(log, fc.nat({ max: 20 }), (entries, readAt) => {
        const rows = entries.map((entry, index) => row(index + 1, entry.mine ? "me" : "a", entry.kind));
        const readSeq = Math.min(readAt, rows.length);
        const ucountAt = (seq: number): number =>
          rows.filter((one) => one.seq <= seq && one.kind !== kinds.reaction && one.kind !== kinds.system).length;
        const exact = unreadByRegisters({
          last_ucount: ucountAt(rows.length),
          own_seq: entries.findLastIndex((entry) => entry.mine) + 1,
          read_seq: readSeq,
          read_ucount: ucountAt(readSeq),
        });
        if (exact !== undefined) expect(countUnreadRows(rows, readSeq, "me")).toEqual(exact);
      }),
    );
  });
});
