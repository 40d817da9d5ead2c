import { expect } from "vitest";
import type { LogRow } from "../../../src/core/model.ts";
import { isCountable } from "../../../src/protocol/kinds.ts";
import type { ModelSender } from "./model-sender.ts";

/** Gapless, each message once, counters and times as the model says. Rows ascending. */
export function checkLog(rows: readonly LogRow[]): void {
  let ucount = 0;
  let sentAt = 0;
  for (const [index, row] of rows.entries()) {
    expect(row.seq, "gapless").toBe(index + 1);
    if (row.visibility === 0 && isCountable(row.kind)) ucount++;
    expect(row.ucount, `ucount of ${row.seq}`).toBe(ucount);
    expect(row.sentAt).toBeGreaterThanOrEqual(sentAt);
    sentAt = row.sentAt;
  }
  expect(new Set(rows.map((row) => row.messageId)).size, "no message twice").toBe(rows.length);
}

/** What was acked is in the log at that seq, what was refused is not, and the order is that of writing. */
export function checkSender(sender: ModelSender, rows: readonly LogRow[]): void {
  const seqs = new Map(rows.map((row) => [row.messageId, row.seq]));
  for (const [messageId, seq] of sender.acked)
    expect(seqs.get(messageId), "acked means in the log, at that seq").toBe(seq);
  for (const messageId of sender.discarded) {
    if (!sender.abandoned.has(messageId)) expect(seqs.has(messageId), "refused means not in the log").toBe(false);
  }
  const kept = sender.messageIds.filter((messageId) => !sender.discarded.has(messageId));
  const order = kept.flatMap((messageId) => seqs.get(messageId) ?? []);
  expect(order, "in the order they were written").toEqual([...order].sort((one, other) => one - other));
}
