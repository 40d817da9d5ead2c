import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { ListRow, LogRow } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import type { Groups } from "../ports/groups.ts";
import type { MessageLog } from "../ports/message-log.ts";
import { FanOut, readersOf, readReadership, type Readership } from "./fan-out.ts";
import { newMessageFrame } from "./message-row.ts";
import { createPeers, type Peers } from "./peers.ts";
import { scanUp } from "./scan-log.ts";

/**
 * Repair of list rows. A process may die between an append and its list writes, and its client may never come back: then
 * rows stand in the log that no list knows, and unread counts that miss an own row. So whoever reads a head above what a
 * reader's row reflects runs the fan-out of the rows in between once more, for everyone who may read them, and notes in
 * the reader's row how far it looked (`checkedSeq`). Idempotent; safe beside a fan-out that is still on its way.
 *
 * Who died before the list writes died before the push as well, and devices that are online would not ask: so the newest
 * of the rows is pushed once more, and those who lack earlier ones notice by the hole before it.
 */
export interface RepairDeps {
  readonly log: MessageLog;
  readonly groups: Groups;
  readonly bus: Bus;
}

/** Up to where the row ought to reflect a log that ends at `head`: one who left may not see what came after. */
function repairTarget(row: Pick<ListRow, "leftSeq">, head: number): number {
  return row.leftSeq === 0 ? head : Math.min(head, row.leftSeq - 1);
}

/** Whether the row may lack something of a log that ends at `head`. */
export function needsRepair(row: Pick<ListRow, "lastSeq" | "checkedSeq" | "leftSeq">, head: number): boolean {
  return repairTarget(row, head) > Math.max(row.lastSeq, row.checkedSeq);
}

/**
 * For readers of a list row (sync, history): repairs what lies between the row and the head, at most dedupeRowsMax rows a
 * call, the oldest first, durably. Answers the seq up to which the row is now known to reflect the log; while
 * `needsRepair` still holds, call again. Read the row again afterwards. Errors: WireError of the stores.
 */
export async function repairLists(deps: RepairDeps, userId: Uuid, row: ListRow, head: number): Promise<number> {
  const checked = Math.max(row.lastSeq, row.checkedSeq);
  if (!needsRepair(row, head)) return checked;
  const peers = row.kind === "direct" ? createPeers(userId, row.peerId ?? userId) : undefined;
  const to = Math.min(repairTarget(row, head), checked + limits.dedupeRowsMax);
  const done = await fanOutAgain(deps, row.conversationId, peers, checked + 1, to);
  if (done > checked) {
    const { conversationId, kind } = row;
    await deps.log.writeLists([{ userId, conversationId, kind, checkedSeq: done }]);
  }
  return done;
}

/**
 * As `repairLists`, for a large group: a thousand readers who are behind repair one row each, not a thousand. Nothing is
 * pushed; the others have the fan-out queue.
 */
export async function repairOwn(deps: RepairDeps, userId: Uuid, row: ListRow, head: number): Promise<number> {
  const checked = Math.max(row.lastSeq, row.checkedSeq);
  if (!needsRepair(row, head)) return checked;
  const { conversationId, kind } = row;
  const intervals = await deps.groups.intervals(conversationId, userId);
  const to = Math.min(repairTarget(row, head), checked + limits.dedupeRowsMax);
  const fanOut = new FanOut(conversationId, { kind: "group", intervals });
  const done = await scanUp(deps.log, conversationId, checked + 1, to, async (rows) => {
    for (const each of rows) fanOut.add(each);
  });
  if (done > checked) await deps.log.writeLists([...fanOut.writes, { userId, conversationId, kind, checkedSeq: done }]);
  return done;
}

/** Writes the list rows of log rows [fromSeq, toSeq] for all their readers. Answers the seq up to which it got. */
export async function fanOutAgain(
  deps: RepairDeps,
  conversationId: Uuid,
  peers: Peers | undefined,
  fromSeq: number,
  toSeq: number,
): Promise<number> {
  const readership = await readReadership(deps.groups, conversationId, peers);
  const newest: { 0?: LogRow; 1?: LogRow } = {};
  const done = await scanUp(deps.log, conversationId, fromSeq, toSeq, async (rows) => {
    const fanOut = new FanOut(conversationId, readership);
    for (const row of rows) fanOut.add(row);
    await deps.log.writeLists(fanOut.writes);
    for (const row of rows) newest[row.visibility] = row;
  });
  for (const row of [newest[0], newest[1]]) if (row !== undefined) pushAgain(deps.bus, conversationId, readership, row);
  return done;
}

function pushAgain(bus: Bus, conversationId: Uuid, readership: Readership, row: LogRow): void {
  bus.deliver({ userIds: readersOf(readership, row), frame: newMessageFrame(conversationId, row) });
}
