import { describe, expect, test } from "vitest";
import type { LogRow } from "./model.ts";
import { rowBytes, viewRow } from "./row-view.ts";

const sender = "01890000-0000-7000-8000-00000000000a";
const other = "01890000-0000-7000-8000-00000000000b";
const row: LogRow = {
  seq: Number.MAX_SAFE_INTEGER,
  messageId: "01890000-0000-7000-8000-000000000001",
  senderId: sender,
  senderDevice: 0x7fff_ffff,
  sentAt: Number.MAX_SAFE_INTEGER,
  kind: 127,
  visibility: 0,
  ucount: Number.MAX_SAFE_INTEGER,
  mediaId: "01890000-0000-7000-8000-000000000002",
  envelope: new TextEncoder().encode("hello"),
};

describe("viewRow", () => {
  test("shows an ordinary row to everyone alike", () => {
    expect(viewRow(row, other)).toEqual(viewRow(row, sender));
    expect(viewRow(row, other)).toMatchObject({
      envelope: "aGVsbG8=",
      sender: { user: sender },
      media_id: row.mediaId,
    });
    expect(viewRow(row, other)).not.toHaveProperty("max_status");
  });

  test("a row only for its sender is void for everybody else, and nothing of it shows", () => {
    const hidden: LogRow = { ...row, visibility: 1 };
    expect(viewRow(hidden, other)).toEqual({ seq: row.seq, kind: 0 });
    expect(viewRow(hidden, sender)).toMatchObject({ envelope: "aGVsbG8=", max_status: "sent" });
  });

  test("an envelope in a shared buffer is cut at its own ends", () => {
    const shared = new TextEncoder().encode("xxhelloxx");
    expect(viewRow({ ...row, envelope: shared.subarray(2, 7) }, sender)).toMatchObject({ envelope: "aGVsbG8=" });
  });
});

test("rowBytes is never less than what the row takes in a frame", () => {
  for (const length of [0, 1, 2, 3, 1_000]) {
    const sized: LogRow = { ...row, visibility: 1, envelope: new Uint8Array(length) };
    expect(rowBytes(sized)).toBeGreaterThanOrEqual(JSON.stringify(viewRow(sized, sender)).length);
  }
});
