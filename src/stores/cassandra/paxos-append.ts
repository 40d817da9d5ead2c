import { present } from "../../base/assert.ts";
import type { AppendOutcome } from "../../core/ports/message-log.ts";
import type { AppendStrategy, LogAppend } from "./append-strategy.ts";
import { bigintCell, intCell, uuidCell } from "./cells.ts";
import { headOf, rowParams } from "./log-cells.ts";
import type { CassandraSession, Statement } from "./session.ts";

/** Without a timestamp: a conditional write takes the ballot's, so that two of them never tie. */
const openBucket = `
  INSERT INTO messages (conversation_id, bucket, head, head_ucount, head_at, membership)
  VALUES (?, ?, ?, ?, ?, ?) IF NOT EXISTS`;

const moveHead = `
  UPDATE messages SET head = ?, head_ucount = ?, head_at = ?, membership = ?
  WHERE conversation_id = ? AND bucket = ? IF head = ? AND membership = ?`;

const insertRow = `
  INSERT INTO messages (conversation_id, bucket, seq, message_id, sender_id, sender_device, sent_at, kind, visibility,
    ucount, media_id, envelope)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/**
 * One conditional batch on one partition: the nodes that keep it agree by paxos, so that of any number of writers at one
 * head one wins, whatever they believe. Costs three to four plain writes.
 *
 * Size: a batch of one partition is one mutation. The port's bound is 64 rows of 64 KiB, 4 MiB; Cassandra takes up to half
 * a commit log segment (16 MiB by default), and its batch_size_fail_threshold counts batches of several partitions only.
 */
export function createPaxosAppend(session: CassandraSession): AppendStrategy {
  return {
    name: "paxos",
    async append(request): Promise<AppendOutcome> {
      const answer = await session.writeIf(appendStatements(request));
      switch (answer.outcome) {
        case "applied":
          return { outcome: "appended" };
        case "refused":
          return { outcome: "conflict", actual: headOf(answer.row) };
        case "undecided":
          return answer;
      }
    },
  };
}

function appendStatements({ conversationId, bucket, expect, opens, rows, membership }: LogAppend): Statement[] {
  const last = present(rows.at(-1), "an append has rows");
  const conversation = uuidCell(conversationId);
  const bucketCell = intCell(bucket);
  const head = bigintCell(last.seq);
  const headUcount = bigintCell(last.ucount);
  const headAt = bigintCell(last.sentAt);
  const version = intCell(membership);
  const statements: Statement[] = [
    opens
      ? { query: openBucket, params: [conversation, bucketCell, head, headUcount, headAt, version] }
      : {
          query: moveHead,
          params: [
            head,
            headUcount,
            headAt,
            version,
            conversation,
            bucketCell,
            bigintCell(expect.head),
            intCell(expect.membership),
          ],
        },
  ];
  for (const row of rows) statements.push({ query: insertRow, params: rowParams(conversation, bucketCell, row) });
  return statements;
}
