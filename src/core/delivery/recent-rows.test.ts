import { describe, expect, test } from "vitest";
import type { LogRow } from "../model.ts";
import { RecentRows, type RecentRow } from "./recent-rows.ts";

const row = (seq: number): LogRow => ({
  seq,
  messageId: `m${seq}`,
  senderId: "ann",
  senderDevice: 1,
  sentAt: seq,
  kind: 1,
  visibility: 0,
  ucount: seq,
  envelope: new Uint8Array(),
});
const read = (seq: number): RecentRow => {
  const { messageId, senderId, sentAt, ucount, visibility } = row(seq);
  return { seq, messageId, senderId, sentAt, ucount, visibility, listed: false };
};

describe("recent rows", () => {
  test("cover a run only if it is whole and ends at the head that was asked about", () => {
    const rows = new RecentRows();
    expect(rows.covers(1, 0)).toBe(false);
    for (const seq of [5, 6, 7]) rows.append(row(seq));
    expect(rows.covers(5, 7)).toBe(true);
    expect(rows.covers(4, 7)).toBe(false);
    expect(rows.covers(5, 8)).toBe(false);
    expect(rows.covers(5, 6)).toBe(false);
  });

  test("forget everything when an append does not continue them", () => {
    const rows = new RecentRows();
    rows.append(row(5));
    rows.append(row(9));
    expect(rows.covers(5, 9)).toBe(false);
    expect(rows.covers(9, 9)).toBe(true);
    expect(rows.senderAt(5)).toBeUndefined();
  });

  test("grow downwards by what a proof has read, and keep what they know of the rows above", () => {
    const rows = new RecentRows();
    rows.append(row(5));
    rows.extendDown([3, 4, 5].map(read));
    expect(rows.covers(3, 5)).toBe(true);
    expect(rows.find(3, "m5")?.listed).toBe(true);
    expect(rows.find(3, "m4")?.listed).toBe(false);
    expect(rows.find(5, "m4")).toBeUndefined();
  });

  test("are replaced by a proof that ends elsewhere", () => {
    const rows = new RecentRows();
    rows.append(row(5));
    rows.extendDown([8, 9].map(read));
    expect(rows.covers(5, 9)).toBe(false);
    expect(rows.covers(8, 9)).toBe(true);
  });

  test("are bounded while a lane is busy, and few when it rests", () => {
    const rows = new RecentRows();
    for (let seq = 1; seq <= 10_000; seq++) rows.append(row(seq));
    expect(10_000 - rows.firstSeq).toBeLessThan(2 * RecentRows.busyRowsMax);
    rows.trim(RecentRows.idleRowsMax);
    expect(10_000 - rows.firstSeq).toBeLessThan(RecentRows.idleRowsMax);
    expect(rows.find(10_000, "m10000")?.seq).toBe(10_000);
  });
});
