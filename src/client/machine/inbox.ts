import { isVoid, type MessageRow, type PageRow } from "../../protocol/fields.ts";
import { persistConversation } from "./persist.ts";
import { advanceByRow } from "./registers.ts";
import { addRun, coverageOf, hasSeq, type PageBody } from "./runs.ts";
import { settleByRow } from "./outbox-settle.ts";
import { frontierOf, type ConversationState, type DeviceState } from "./state.ts";
import type { Placement } from "./types.ts";

/**
 * Puts arriving rows where they belong. A conversation is [start, filled] without a hole, then newer runs with holes
 * between them (a far-behind device gets its newest rows first), then live rows held until the one before them comes.
 * A row is persisted and shown when it joins a run; what is held is not, and is asked for again after a restart.
 */

/** A pushed row, or the own row that an ACK describes. */
export function receiveRow(device: DeviceState, conversation: ConversationState, row: PageRow): void {
  const { seq } = row;
  if (!isVoid(row)) settleByRow(device, conversation, row);
  if (seq > conversation.head) conversation.head = seq;
  const frontier = frontierOf(conversation);
  if (seq === frontier + 1) {
    append(device, conversation, row);
    if (conversation.held !== undefined) releaseHeld(device, conversation);
  } else if (seq <= frontier) {
    // Older than the newest run: either here already, or part of a hole that a page will fill whole.
    if (seq <= conversation.filled || hasSeq(conversation.runs, seq)) device.counters.duplicateRows++;
  } else hold(device, conversation, row);
}

/** A page of SYNC_MESSAGES, RANGE_PAGE or HISTORY_PAGE. True when it closed (a part of) a hole. */
export function receivePage(device: DeviceState, conversation: ConversationState, page: PageBody): boolean {
  const coverage = coverageOf(page);
  if (coverage.to < page.to) device.counters.violations++;
  if (coverage.to < page.from) return false;
  const rows = page.messages.filter((row) => row.seq >= page.from && row.seq <= coverage.to);
  for (const row of rows) if (!isVoid(row)) settleByRow(device, conversation, row);
  let moved = false;
  if (page.from < conversation.start) moved = placeBelow(device, conversation, page.from, coverage.to, rows);
  const from = Math.max(page.from, conversation.filled + 1);
  if (from > coverage.to) {
    device.counters.duplicateRows += moved ? 0 : rows.length;
    return moved;
  }
  // Before the merge below, since what is blind now must not prove anything once `filled` has passed it.
  if (coverage.blindTo > conversation.filled) conversation.proven = Math.max(conversation.proven, coverage.blindTo);
  place(device, conversation, from, coverage.to, rows);
  if (conversation.held !== undefined) releaseHeld(device, conversation);
  return true;
}

/**
 * Passes over rows that this device need not hold (receipts have gone past them, or it was not a member): they are
 * fetched when somebody scrolls there.
 */
export function skipTo(device: DeviceState, conversation: ConversationState, seq: number): void {
  if (seq <= conversation.filled) return;
  conversation.filled = seq;
  conversation.start = seq + 1;
  conversation.proven = seq;
  mergeFirstRuns(conversation);
  persistConversation(device, conversation);
}

/** Rows of [from, to], from > filled: joins them to the runs, persists and shows what is new. */
function place(
  device: DeviceState,
  conversation: ConversationState,
  from: number,
  to: number,
  rows: readonly PageRow[],
): void {
  const frontier = frontierOf(conversation);
  const fresh = rows.filter((row) => row.seq >= from && !hasSeq(conversation.runs, row.seq));
  device.counters.duplicateRows += rows.length - fresh.length;
  conversation.runs = addRun(conversation.runs, from, to);
  mergeFirstRuns(conversation);
  while (conversation.runs.length > device.environment.config.runsPerConversationMax) {
    conversation.runs = conversation.runs.slice(1);
  }
  if (to > conversation.head) conversation.head = to;
  for (const row of fresh) noteRow(device, conversation, row);
  persistConversation(device, conversation, fresh);
  const older = fresh.filter((row) => row.seq <= frontier);
  const newer = older.length === 0 ? fresh : fresh.slice(older.length);
  show(device, conversation, "fill", older);
  show(device, conversation, from <= frontier + 1 ? "append" : "jump", newer);
}

/** Rows older than `start`: continue it downwards, or lie apart and are kept without being counted on. */
function placeBelow(
  device: DeviceState,
  conversation: ConversationState,
  from: number,
  to: number,
  rows: readonly PageRow[],
): boolean {
  const joins = to >= conversation.start - 1;
  const older = rows.filter((row) => row.seq < conversation.start);
  if (joins) conversation.start = from;
  for (const row of older) noteRow(device, conversation, row);
  persistConversation(device, conversation, older);
  show(device, conversation, "history", older);
  return joins;
}

function append(device: DeviceState, conversation: ConversationState, row: PageRow): void {
  extendFrontier(conversation, row.seq);
  noteRow(device, conversation, row);
  const rows = [row];
  persistConversation(device, conversation, rows);
  show(device, conversation, "append", rows);
}

function extendFrontier(conversation: ConversationState, to: number): void {
  const { runs } = conversation;
  const newest = runs.at(-1);
  if (newest === undefined) conversation.filled = to;
  else conversation.runs = [...runs.slice(0, -1), [newest[0], to]];
}

function hold(device: DeviceState, conversation: ConversationState, row: PageRow): void {
  const held = (conversation.held ??= new Map());
  if (held.has(row.seq)) device.counters.duplicateRows++;
  else if (held.size < device.environment.config.heldRowsMax) held.set(row.seq, row);
  else device.counters.overflowedRows++;
}

/** The hole before the held rows may have closed: show those that now continue the newest run, drop what came by page. */
function releaseHeld(device: DeviceState, conversation: ConversationState): void {
  const held = conversation.held;
  if (held === undefined) return;
  const rows: PageRow[] = [];
  const frontier = frontierOf(conversation);
  for (let row = held.get(frontier + 1); row !== undefined; row = held.get(row.seq + 1)) {
    rows.push(row);
    held.delete(row.seq);
  }
  if (rows.length > 0) {
    extendFrontier(conversation, frontier + rows.length);
    for (const row of rows) noteRow(device, conversation, row);
    persistConversation(device, conversation, rows);
    show(device, conversation, "append", rows);
  }
  for (const seq of held.keys()) {
    if (seq > frontier) continue;
    held.delete(seq);
    if (seq <= conversation.filled || hasSeq(conversation.runs, seq)) device.counters.duplicateRows++;
  }
  if (held.size === 0) conversation.held = undefined;
}

function mergeFirstRuns(conversation: ConversationState): void {
  let first = conversation.runs[0];
  while (first !== undefined && first[0] <= conversation.filled + 1) {
    conversation.filled = Math.max(conversation.filled, first[1]);
    conversation.runs = conversation.runs.slice(1);
    first = conversation.runs[0];
  }
}

/** What a row tells beyond itself: the registers it drives, and whether a receipt is owed for it. */
function noteRow(device: DeviceState, conversation: ConversationState, row: PageRow): void {
  if (isVoid(row)) return;
  const own = row.sender.user === device.userId;
  if (!own && row.seq > conversation.foreign) conversation.foreign = row.seq;
  if (own && isHere(device, row) && conversation.viewed === row.seq - 1) conversation.viewed = row.seq;
  conversation.registers = advanceByRow(conversation.registers, row, own);
}

function isHere(device: DeviceState, row: MessageRow): boolean {
  return row.sender.device === device.device;
}

function show(
  device: DeviceState,
  conversation: ConversationState,
  placement: Placement,
  rows: readonly PageRow[],
): void {
  if (rows.length === 0) return;
  const { conversationId } = conversation;
  device.environment.effects.emit(device.owner, { type: "rows", conversationId, placement, rows });
}
