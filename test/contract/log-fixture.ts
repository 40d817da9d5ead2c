import { bucketOf, emptyHead, type ListWrite, type LogHead, type LogRow } from "../../src/core/model.ts";
import type { AppendOutcome, AppendRequest, MessageLog } from "../../src/core/ports/message-log.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { newId } from "./durable-harness.ts";

const startAt = 1_700_000_000_000;

/** A row with a value of its own in every field, so that two fields that change places are noticed. Half of them count. */
export function rowAt(seq: number, over: Partial<LogRow> = {}): LogRow {
  return {
    seq,
    messageId: newId(),
    senderId: newId(),
    senderDevice: 3,
    sentAt: startAt + seq * 1_000,
    kind: 1,
    visibility: 0,
    ucount: Math.ceil(seq / 2),
    envelope: Buffer.from(`envelope of ${seq}`),
    ...over,
  };
}

/** What the log's end is after `row`. */
export function headAfter(row: LogRow, membership = 0): LogHead {
  return { head: row.seq, headUcount: row.ucount, headAt: row.sentAt, membership };
}

/** An append of `rows` by someone who knows that the log ends at `expect`. */
export function appendAt(
  log: MessageLog,
  conversationId: Uuid,
  expect: LogHead,
  rows: readonly LogRow[],
  over: Partial<AppendRequest> = {},
): AppendRequest {
  return {
    conversationId,
    bucket: bucketOf(expect.head + 1, log.bucketRows),
    expect,
    opens: expect.head % log.bucketRows === 0,
    rows,
    membership: expect.membership,
    lists: [],
    ...over,
  };
}

/** Appends rows one at a time up to `head` and answers them, ascending. Throws unless each is appended. */
export async function fill(log: MessageLog, conversationId: Uuid, head: number): Promise<readonly LogRow[]> {
  const rows: LogRow[] = [];
  let end = emptyHead;
  while (rows.length < head) {
    const row = rowAt(end.head + 1);
    const { outcome } = await log.append(appendAt(log, conversationId, end, [row]));
    if (outcome !== "appended") throw new Error(`append of ${row.seq}: ${outcome}`);
    rows.push(row);
    end = headAfter(row);
  }
  return rows;
}

/** Every row of the log, ascending, by pages of the given size. */
export async function readLog(log: MessageLog, conversationId: Uuid, rowsMax = 3): Promise<readonly LogRow[]> {
  const newest = await log.newestBucket(conversationId, 0, "serial");
  if (newest === undefined) return [];
  const rows: LogRow[] = [];
  let toSeq = newest.head.head;
  while (toSeq >= 1) {
    const page = await log.readBucket(conversationId, bucketOf(toSeq, log.bucketRows), 1, toSeq, rowsMax, "serial");
    const lowest = page.rows.at(-1);
    if (lowest === undefined) throw new Error(`no row at ${toSeq}`);
    rows.push(...page.rows);
    toSeq = lowest.seq - 1;
  }
  return rows.toReversed();
}

/** Answers that are neither appended nor conflict make a test meaningless: say so instead of passing. */
export function decided(outcome: AppendOutcome): "appended" | "conflict" {
  if (outcome.outcome === "undecided") throw new Error("the store did not decide");
  return outcome.outcome;
}

export function listWrite(userId: Uuid, conversationId: Uuid, row: LogRow): ListWrite {
  return {
    userId,
    conversationId,
    kind: "direct",
    peerId: row.senderId,
    last: { seq: row.seq, ucount: row.ucount, sender: row.senderId, at: row.sentAt },
  };
}
