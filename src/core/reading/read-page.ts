import { assert } from "../../base/assert.ts";
import type { PageRow, SeqRun } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { RowPage } from "../api.ts";
import { bucketOf, type LogRow } from "../model.ts";
import type { MessageLog } from "../ports/message-log.ts";
import { rowBytes, viewRow } from "../row-view.ts";
import { intersectRuns, subtractRuns } from "./seq-runs.ts";

/** What a viewer may see of a conversation. */
export interface View {
  readonly viewerId: Uuid;
  /** Ascending. */
  readonly readable: readonly SeqRun[];
  /** Rows up to here were cleared by the viewer: they are answered as gone. */
  readonly clearedSeq: number;
  /**
   * Above it nobody knows yet what the viewer may read, since a join is not settled: no page goes there. A row that is
   * told to be unreadable is never asked for again. Infinity: everything is decided.
   */
  readonly decidedSeq: number;
}

export interface PageRequest {
  readonly conversationId: Uuid;
  /** Every seq of [from, to] is in the log: a row that is missing there is gone for good. */
  readonly from: number;
  readonly to: number;
  /** Where to begin: at `from` going up, or at `to` going down. A page that does not reach the other end has more. */
  readonly direction: "up" | "down";
  readonly rowsMax: number;
}

/** Room for what stands around the rows in a frame. */
const frameOverheadBytes = 4 * 1024;
const rowsBytesMax = limits.pageBytesMax - frameOverheadBytes;
/** Reads of one page that find no row: how far it looks through a stretch that is gone. */
const emptyReadsMax = 16;

/**
 * One page of rows and what replaces the rest: together they cover [page.from, page.to] without a hole. Unreadable and
 * cleared seqs cost no read, so a page passes over any number of them.
 */
export async function readPage(log: MessageLog, view: View, asked: PageRequest): Promise<RowPage> {
  const { from, direction } = asked;
  const to = Math.min(asked.to, view.decidedSeq);
  const request = { ...asked, to };
  if (from > to) return { from, to: from - 1, messages: [], unreadable: [], gone: [], hasMore: false };
  const shown = intersectRuns([Math.max(from, view.clearedSeq + 1), to], view.readable);
  const { rows, end } = await collect(log, request, shown);
  const covered: SeqRun = direction === "up" ? [from, end] : [end, to];
  const messages = rows.map((row): PageRow => viewRow(row, view.viewerId));
  const readable = intersectRuns(covered, view.readable);
  const held = messages.map(({ seq }): SeqRun => [seq, seq]);
  return {
    from: covered[0],
    to: covered[1],
    messages,
    unreadable: subtractRuns(covered, readable),
    gone: readable.flatMap((run) => subtractRuns(run, held)),
    hasMore: direction === "up" ? end < to : end > from,
  };
}

interface Collected {
  /** Ascending. */
  readonly rows: readonly LogRow[];
  /** The last seq that the page covers in its direction. */
  readonly end: number;
}

async function collect(log: MessageLog, request: PageRequest, shown: readonly SeqRun[]): Promise<Collected> {
  const up = request.direction === "up";
  const rows: LogRow[] = [];
  let bytes = 0;
  let emptyReads = 0;
  for (const run of up ? shown : shown.toReversed()) {
    let next = up ? run[0] : run[1];
    while (up ? next <= run[1] : next >= run[0]) {
      // Full, though seqs are left that have to be read: the page ends before them.
      const wanted = request.rowsMax - rows.length;
      const before = up ? next - 1 : next + 1;
      if (wanted === 0 || emptyReads === emptyReadsMax) return { rows: inOrder(rows, up), end: before };
      const part = await readPart(log, request, run, next, wanted);
      if (part.rows.length === 0) emptyReads++;
      for (const row of part.rows) {
        bytes += rowBytes(row);
        if (bytes > rowsBytesMax && rows.length > 0) {
          return { rows: inOrder(rows, up), end: up ? row.seq - 1 : row.seq + 1 };
        }
        rows.push(row);
      }
      next = part.next;
    }
  }
  return { rows: inOrder(rows, up), end: up ? request.to : request.from };
}

function inOrder(rows: readonly LogRow[], up: boolean): readonly LogRow[] {
  return up ? rows : rows.toReversed();
}

/** Rows of one bucket, in the direction of the page, and where to go on. */
async function readPart(
  log: MessageLog,
  { conversationId, direction }: PageRequest,
  run: SeqRun,
  start: number,
  wanted: number,
): Promise<{ readonly rows: readonly LogRow[]; readonly next: number }> {
  const bucket = bucketOf(start, log.bucketRows);
  const bucketFrom = bucket * log.bucketRows + 1;
  const bucketTo = bucketFrom + log.bucketRows - 1;
  if (direction === "down") {
    const low = Math.max(run[0], bucketFrom);
    const { head, rows } = await log.readBucket(conversationId, bucket, low, start, wanted, "latest");
    const last = rows.at(-1);
    assert(head === undefined || rows.length <= wanted, "a store keeps to the rows asked for");
    // Fewer rows than asked for: below the last one the rest of this bucket is gone.
    return { rows, next: last === undefined || rows.length < wanted ? low - 1 : last.seq - 1 };
  }
  const high = Math.min(run[1], bucketTo, start + wanted - 1);
  const { head, rows } = await log.readBucket(conversationId, bucket, start, high, wanted, "latest");
  const next = head === undefined ? Math.min(run[1], bucketTo) + 1 : high + 1;
  return { rows: rows.toReversed(), next };
}
