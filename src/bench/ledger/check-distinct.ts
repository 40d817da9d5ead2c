import type { FaultList } from "./faults.ts";
import type { LogRow, Name, SentMessage } from "./types.ts";

/**
 * I2: one log entry per message, one message per entry, and none that nobody sent. `sent` undefined: the senders are
 * unknown, so invented rows cannot be told.
 */
export function checkDistinct(
  conversation: Name,
  log: readonly LogRow[],
  sent: readonly SentMessage[] | undefined,
  found: FaultList,
): void {
  const bySeq = new Map<number, LogRow>();
  const byId = new Map<Name, LogRow>();
  const known = sent === undefined ? undefined : new Set(sent.map((message) => message.id));
  for (const row of log) {
    const atSeq = bySeq.get(row.seq);
    const sameId = byId.get(row.id);
    if (atSeq !== undefined && atSeq.id !== row.id) {
      found.add("repeated_seq", () => `seq ${row.seq} of conversation ${conversation} holds ${atSeq.id} and ${row.id}`);
    } else if (sameId !== undefined) {
      found.add(
        "duplicated",
        () => `message ${row.id} of conversation ${conversation} stands at seq ${sameId.seq} and ${row.seq}`,
      );
    } else if (known !== undefined && row.n > 0 && !known.has(row.id)) {
      found.add(
        "invented",
        () => `message ${row.id} (sender ${row.sender}, n ${row.n}) at seq ${row.seq} of conversation ${conversation}`,
      );
    }
    bySeq.set(row.seq, row);
    byId.set(row.id, row);
  }
}
