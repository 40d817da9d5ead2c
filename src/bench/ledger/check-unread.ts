import type { FaultList } from "./faults.ts";
import type { LogRow, Name } from "./types.ts";

/** I8: unread = countable rows after the member's read watermark that are not the member's own. */
export interface UnreadReport {
  readonly member: Name;
  readonly readSeq: number;
  /** As the member is told. */
  readonly unread: number;
  /** How far the list row that says so has come; undefined = to the head. Whether that is far enough is asked elsewhere. */
  readonly lastSeq?: number;
}

export function checkUnread(
  conversation: Name,
  log: readonly LogRow[],
  reports: readonly UnreadReport[],
  found: FaultList,
): void {
  for (const { member, readSeq, unread, lastSeq = Number.POSITIVE_INFINITY } of reports) {
    let expected = 0;
    for (const row of log) {
      if (row.seq > readSeq && row.seq <= lastSeq && row.countable && row.user !== member) expected++;
    }
    if (expected !== unread) {
      found.add(
        "unread_wrong",
        () =>
          `${member} is told ${unread} unread in conversation ${conversation} after seq ${readSeq}; the log has ${expected}`,
      );
    }
  }
}
