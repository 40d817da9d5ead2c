import { assert } from "../base/assert.ts";
import { limits } from "../protocol/limits.ts";
import { bucketOf } from "./model.ts";
import type { AppendRequest } from "./ports/message-log.ts";

/** What no caller of MessageLog.append may ask for, whatever the log holds: every store checks it before it writes. */
export function checkAppend(request: AppendRequest, bucketRows: number): void {
  const { bucket, expect, opens, rows, membership } = request;
  assert(rows.length > 0 && rows.length <= limits.draftsPerAppendMax, `an append of ${rows.length} rows`);
  let { head, headUcount, headAt } = expect;
  for (const row of rows) {
    const { seq, ucount, sentAt, envelope } = row;
    // Constant texts: these are asked for every message.
    assert(seq === head + 1, "seqs follow the head without a gap");
    assert(bucketOf(seq, bucketRows) === bucket, "every row lies in the bucket of the append");
    assert(ucount === headUcount || ucount === headUcount + 1, "a row counts once or not at all");
    assert(sentAt >= headAt, "times in a log do not go back");
    assert(envelope.length <= limits.envelopeBytesMax, "an envelope keeps its bound");
    ({ seq: head, ucount: headUcount, sentAt: headAt } = row);
  }
  assert(opens === (expect.head === bucket * bucketRows), "a bucket opens with its first row");
  const step = membership - expect.membership;
  assert(step === 0 || step === 1, `membership ${expect.membership} to ${membership}`);
}
