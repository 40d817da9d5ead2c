import { present } from "../../base/assert.ts";
import type { SyncCursor } from "../../protocol/frames/client-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, RowPage, SyncPage, SyncProgress } from "../api.ts";
import { toRegisters } from "../lists/registers.ts";
import type { ListRow } from "../model.ts";
import { checkHead, isComplete, viewOf, type ReadingDeps } from "./open-conversation.ts";
import { readPage, type View } from "./read-page.ts";
import { planSync, type Fill, type SyncPlan } from "./sync-plan.ts";
import { byRecency, decodeSyncToken, encodeSyncToken } from "./sync-token.ts";

/**
 * One sync of one device. Nothing is queued for devices that are away: what they lack follows from their cursors.
 *
 *   order ─ heads of the newest conversations are read again, lists repaired ─ cursors checked against the log
 *   pass 1 ─ most recent first: each conversation whose rows or registers differ gets its turn
 *   pass 2 ─ the rest of those that were far behind, downwards
 *
 * Both passes stop at syncPagesMax with a token. The list may change meanwhile, and the clocks of those who write differ:
 * so not the place in the list but `progress` tells which conversations had their turn. Those that moved above everything
 * are gone through again first. Pages may repeat rows, never leave one out.
 */
export async function runSync(
  deps: ReadingDeps,
  caller: Caller,
  cursors: ReadonlyMap<Uuid, SyncCursor>,
  page: string | undefined,
  send: (page: SyncPage) => Promise<void>,
  progress: SyncProgress,
): Promise<{ readonly next: string | undefined }> {
  const { turned, filled } = progress;
  const token = page === undefined ? undefined : decodeSyncToken(page);
  const listed = [...(await deps.lists.all(caller.userId))].sort(byRecency);
  const rows = token === undefined ? await withCheckedHeads(deps, caller, listed) : listed;
  if (token === undefined) await checkCursors(deps, rows, cursors);
  const round: Round = {
    deps,
    caller,
    cursors,
    send,
    rows,
    asOf: rows[0]?.lastAt ?? 0,
    pagesSent: 0,
    resumeAt: new Map(),
    named: new Set(),
  };

  const due =
    token === undefined ? rows : rows.filter((row) => row.lastAt > token.asOf || !turned.has(row.conversationId));
  for (const row of due) {
    if (round.pagesSent >= limits.syncPagesMax) return { next: stoppedBefore(round, due, row) };
    await takeTurn(round, row);
    turned.add(row.conversationId);
  }
  for (const row of rows) {
    if (token !== undefined && row.lastAt <= token.asOf && filled.has(row.conversationId)) continue;
    const from = token?.pass === 2 && row.conversationId === token.conversationId ? token.seq : undefined;
    const next = await fillRest(round, row, from);
    if (next !== undefined) return { next };
    filled.add(row.conversationId);
  }
  return { next: undefined };
}

interface Round {
  readonly deps: ReadingDeps;
  readonly caller: Caller;
  readonly cursors: ReadonlyMap<Uuid, SyncCursor>;
  readonly send: (page: SyncPage) => Promise<void>;
  readonly rows: readonly ListRow[];
  readonly asOf: number;
  pagesSent: number;
  /** Where the fill of a conversation goes on after its first page. */
  readonly resumeAt: Map<Uuid, number>;
  /** Groups whose name was told. */
  readonly named: Set<Uuid>;
}

/** Pass 1 goes on after the last conversation that had its turn. */
function stoppedBefore(round: Round, due: readonly ListRow[], row: ListRow): string {
  const { lastAt, conversationId } = present(due[due.indexOf(row) - 1], "a conversation that had its turn");
  return encodeSyncToken({ pass: 1, asOf: round.asOf, lastAt, conversationId, seq: 0 });
}

/**
 * Reads the heads of the newest conversations again, and of every large group, whose place in the list follows its log
 * with a delay: a lost last push, or a writer that died, shows only there.
 */
async function withCheckedHeads(deps: ReadingDeps, caller: Caller, rows: readonly ListRow[]): Promise<ListRow[]> {
  const checked: ListRow[] = [];
  for (let from = 0; from < rows.length; from += limits.syncHeadsMax) {
    const isNewest = from === 0;
    const some = rows.slice(from, from + limits.syncHeadsMax).map(async (row) => {
      const due = isNewest || (row.kind === "group" && (await deps.largeGroups.has(row.conversationId)));
      return due && !isComplete(row) ? (await checkHead(deps, caller, row)).row : row;
    });
    checked.push(...(await Promise.all(some)));
  }
  return checked.sort(byRecency);
}

/** A cursor beyond the log belongs to other data (a restored or exchanged store): nothing may be built on it. */
async function checkCursors(
  deps: ReadingDeps,
  rows: readonly ListRow[],
  cursors: ReadonlyMap<Uuid, SyncCursor>,
): Promise<void> {
  const byId = new Map(rows.map((row) => [row.conversationId, row]));
  for (const [conversationId, cursor] of cursors) {
    const held = Math.max(cursor.seq, cursor.tail?.[1] ?? 0);
    const row = byId.get(conversationId);
    if (held <= (row?.lastSeq ?? 0)) continue;
    // Above the own last row there may be void rows; only the log itself can tell.
    const newest = row && (await deps.log.newestBucket(conversationId, row.lastSeq, "serial"));
    if (held > (newest?.head.head ?? 0)) {
      throw new WireError("cursor_ahead", {
        detail: `the cursor ${held} of ${conversationId} is ahead of the conversation`,
        conversationId,
      });
    }
  }
}

/** Pass 1 for one conversation. */
async function takeTurn(round: Round, row: ListRow): Promise<void> {
  const cursor = round.cursors.get(row.conversationId);
  const { last_seq: last } = toRegisters(row);
  const registersDiffer =
    cursor === undefined ||
    cursor.read !== row.readSeq ||
    cursor.peer_recv !== row.peerRecvSeq ||
    cursor.peer_read !== row.peerReadSeq ||
    (cursor.left ?? 0) !== row.leftSeq;
  if (!registersDiffer && cursor.seq >= last) return;
  const view = await viewOf(round.deps, round.caller, row);
  const plan = planOf(row, cursor, Math.min(last, view.decidedSeq), view);
  for (const [index, fill] of plan.first.entries()) {
    const more = index < plan.first.length - 1 || plan.rest.length > 0;
    await sendFill(round, row, view, fill, plan.firstPageOnly, more);
  }
  if (plan.first.length === 0 && registersDiffer) {
    await sendPage(round, row, emptyPage((cursor?.seq ?? 0) + 1, plan.rest.length > 0));
  }
}

function planOf(row: ListRow, cursor: SyncCursor | undefined, last: number, view: View): SyncPlan {
  const floor = Math.min(row.recvSeq, row.readSeq);
  return planSync({ last, held: cursor?.seq ?? 0, tail: cursor?.tail, floor }, view);
}

async function sendFill(
  round: Round,
  row: ListRow,
  view: View,
  fill: Fill,
  firstPageOnly: boolean,
  more: boolean,
): Promise<void> {
  let { from, to } = fill;
  while (from <= to) {
    const { direction, rowsMax } = fill;
    const page = await readPage(round.deps.log, view, {
      conversationId: row.conversationId,
      from,
      to,
      direction,
      rowsMax,
    });
    await sendPage(round, row, { ...page, hasMore: page.hasMore || more });
    if (direction === "up") from = page.to + 1;
    else to = page.from - 1;
    if (firstPageOnly) {
      round.resumeAt.set(row.conversationId, to);
      return;
    }
  }
}

/** Pass 2 for one conversation, at or below `startAt` if given. Answers a token if it stopped before the end. */
async function fillRest(round: Round, row: ListRow, startAt: number | undefined): Promise<string | undefined> {
  const cursor = round.cursors.get(row.conversationId);
  const { last_seq: last } = toRegisters(row);
  if (cursor !== undefined && cursor.seq >= last) return undefined;
  const view = await viewOf(round.deps, round.caller, row);
  const plan = planOf(row, cursor, Math.min(last, view.decidedSeq), view);
  if (!plan.firstPageOnly && plan.rest.length === 0) return undefined;
  // The first page of an earlier call is not known any more: beginning at the top repeats it, and leaves nothing out.
  const ceiling = startAt ?? round.resumeAt.get(row.conversationId) ?? last;
  const fills = (plan.firstPageOnly ? [...plan.first, ...plan.rest] : plan.rest)
    .map((fill) => ({ ...fill, to: Math.min(fill.to, ceiling), rowsMax: limits.syncBatchRowsMax }))
    .filter((fill) => fill.from <= fill.to);
  for (const [index, fill] of fills.entries()) {
    const { conversationId } = row;
    for (let to = fill.to; to >= fill.from;) {
      if (round.pagesSent >= limits.syncPagesMax) {
        return encodeSyncToken({ pass: 2, asOf: round.asOf, lastAt: row.lastAt, conversationId, seq: to });
      }
      const page = await readPage(round.deps.log, view, { ...fill, conversationId, to });
      await sendPage(round, row, { ...page, hasMore: page.hasMore || index < fills.length - 1 });
      to = page.from - 1;
    }
  }
  return undefined;
}

async function sendPage(round: Round, row: ListRow, page: RowPage): Promise<void> {
  round.pagesSent++;
  const { conversationId, kind, peerId } = row;
  const name = await nameFor(round, row);
  await round.send({ ...page, conversationId, kind, peerId, name, registers: toRegisters(row) });
}

/** One who left is not told what the group is called since. */
async function nameFor(round: Round, row: ListRow): Promise<string | undefined> {
  const { conversationId, kind, leftSeq } = row;
  if (kind !== "group" || leftSeq > 0 || round.named.has(conversationId)) return undefined;
  round.named.add(conversationId);
  return round.deps.groupName(conversationId);
}

function emptyPage(from: number, hasMore: boolean): RowPage {
  return { from, to: from - 1, messages: [], unreadable: [], gone: [], hasMore };
}
