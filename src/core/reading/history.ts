import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, RowPage } from "../api.ts";
import { toRegisters } from "../lists/registers.ts";
import { checkHead, ownRow, viewOf, type ReadingDeps } from "./open-conversation.ts";
import { readPage } from "./read-page.ts";
import { seekTime } from "./seek-time.ts";

export type Before = { readonly seq: number } | { readonly time: number } | undefined;

/** One page back from a seq, from a time, or from the end. */
export async function readHistory(
  deps: ReadingDeps,
  caller: Caller,
  conversationId: Uuid,
  before: Before,
  limit: number,
): Promise<RowPage> {
  const rowsMax = Math.max(1, Math.min(limit, limits.pageRowsMax));
  let row = await ownRow(deps, caller, conversationId);
  // A page that ends within what the row reflects needs no look at the head.
  const known = before !== undefined && "seq" in before && before.seq <= row.lastSeq;
  if (!known) ({ row } = await checkHead(deps, caller, row));
  const view = await viewOf(deps, caller, row);
  const { last_seq: last } = toRegisters(row);
  let to = last;
  if (before !== undefined && "seq" in before) to = Math.min(last, before.seq - 1);
  else if (before !== undefined) {
    const from = Math.max(view.readable[0]?.[0] ?? 1, row.clearedSeq + 1);
    to = await seekTime(deps.log, conversationId, from, last, before.time);
  }
  return readPage(deps.log, view, { conversationId, from: 1, to, direction: "down", rowsMax });
}

/**
 * Rows [from, to] as far as one page goes, upwards. What is above the head does not exist yet: the page ends before it,
 * and one that begins there is empty.
 */
export async function readRange(
  deps: ReadingDeps,
  caller: Caller,
  conversationId: Uuid,
  from: number,
  to: number,
): Promise<RowPage> {
  if (from < 1 || from > to) throw new WireError("bad_request", { detail: "from, to: not a range of seqs" });
  let row = await ownRow(deps, caller, conversationId);
  let head = row.lastSeq;
  if (to > head) ({ row, head } = await checkHead(deps, caller, row));
  const view = await viewOf(deps, caller, row);
  // One who left is not told how far the others have come since.
  const end = Math.min(to, row.leftSeq > 0 ? toRegisters(row).last_seq : Math.max(head, row.lastSeq));
  return readPage(deps.log, view, { conversationId, from, to: end, direction: "up", rowsMax: limits.pageRowsMax });
}
