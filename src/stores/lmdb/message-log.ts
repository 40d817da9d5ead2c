import { checkAppend } from "../../core/check-append.ts";
import type { AppendOutcome, MessageLog } from "../../core/ports/message-log.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { appendRows } from "./append-rows.ts";
import { applyListWrite } from "./apply-list-write.ts";
import type { Environment } from "./environment.ts";
import { descendingNumber, prefixEnd, uuidDescendingKey, uuidKey } from "./keys.ts";
import { buckets, messages } from "./log-tables.ts";

/**
 * The log in LMDB. One process writes, and one operation after the other, so that every read is serial; only while a
 * commit has an open outcome (GroupCommit) a serial read is refused, because a restart might show something else.
 */
export function createLmdbMessageLog(environment: Environment): MessageLog {
  const { bucketRows } = environment;
  return {
    bucketRows,

    async newestBucket(conversationId, _hintSeq, consistency) {
      if (consistency === "serial") environment.checkDecided();
      const prefix = uuidKey(conversationId);
      const [newest] = environment.range(buckets, { start: prefix, end: prefixEnd(prefix), entriesMax: 1 });
      return newest && { bucket: descendingNumber(newest.key), head: newest.value };
    },

    async readBucket(conversationId, bucket, fromSeq, toSeq, rowsMax, consistency) {
      if (consistency === "serial") environment.checkDecided();
      const head = environment.get(buckets, uuidDescendingKey(conversationId, bucket));
      const from = Math.max(fromSeq, bucket * bucketRows + 1);
      const to = Math.min(toSeq, head?.head ?? 0);
      if (from > to || rowsMax < 1) return { head, rows: [] };
      const start = uuidDescendingKey(conversationId, to);
      const end = uuidDescendingKey(conversationId, from - 1);
      const entries = environment.range(messages, { start, end, entriesMax: rowsMax });
      return { head, rows: entries.map(({ value }) => value) };
    },

    async append(request): Promise<AppendOutcome> {
      checkAppend(request, bucketRows);
      try {
        return await environment.write((transaction) => appendRows(transaction, request));
      } catch (error) {
        if (error instanceof WireError && error.undecided) return { outcome: "undecided" };
        throw error;
      }
    },

    async writeLists(writes) {
      await environment.write((transaction) => {
        for (const write of writes) applyListWrite(transaction, write);
      });
    },
  };
}
