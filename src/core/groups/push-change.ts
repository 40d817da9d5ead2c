import type { Registers } from "../../protocol/fields.ts";
import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { readersOf } from "../delivery/fan-out.ts";
import { newMessageFrame } from "../delivery/message-row.ts";
import { toRegisters } from "../lists/registers.ts";
import type { Group, GroupChange, LogRow, MemberInterval } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import type { ConversationLists } from "../ports/conversation-lists.ts";
import { isLarge } from "../fan-out/chunks.ts";
import { intervalsAt, joinersOf, leaversOf, touchedBy } from "./change-writes.ts";

/**
 * Tells every device of those who may read the row of a settled change, also of those who were removed by it and of the
 * one who made it (the row has to fill that device's log too): what the group is now, then the row. Those of `registers`
 * are told their own as well. In a large group the row comes to everyone from the fan-out workers; here it goes at once to
 * those whom the change is about, unless they are a large group themselves.
 */
export function pushChange(
  bus: Bus,
  group: Group,
  change: GroupChange,
  row: LogRow,
  intervals: readonly MemberInterval[],
  registers: ReadonlyMap<Uuid, Registers>,
): void {
  const readers = new Set(readersOf({ kind: "group", intervals: intervalsAt(change, row.seq, intervals) }, row));
  const joiners = joinersOf(change);
  const leavers = leaversOf(change);
  const others = [...readers].filter((userId) => !joiners.includes(userId) && !leavers.includes(userId));
  const tell = (userIds: readonly Uuid[], what: "created" | "renamed" | "members" | "left"): void => {
    const frame = updateFrame(group, change, what);
    const alike = userIds.filter((userId) => !registers.has(userId));
    if (alike.length > 0) bus.deliver({ userIds: alike, frame });
    for (const userId of userIds) {
      const own = registers.get(userId);
      if (own !== undefined) bus.deliver({ userIds: [userId], frame: { ...frame, registers: own } });
    }
  };
  tell(joiners, "created");
  tell(others, change.kind === "rename" ? "renamed" : "members");
  tell(leavers, "left");
  bus.deliver({ userIds: rowAtOnce(readers, change), frame: newMessageFrame(change.groupId, row) });
}

function rowAtOnce(readers: ReadonlySet<Uuid>, change: GroupChange): readonly Uuid[] {
  if (!isLarge(readers.size)) return [...readers];
  const touched = touchedBy(change);
  return isLarge(touched.size) ? [change.actorId] : [...readers].filter((userId) => touched.has(userId));
}

/**
 * Registers of those for whom the change moves the end of what they may read: who goes, and who comes back. To be read
 * once the row is listed. A list that cannot be read costs only this: the next sync says it.
 */
export async function readMovedRegisters(
  lists: Pick<ConversationLists, "one">,
  change: GroupChange,
  intervals: readonly MemberInterval[],
): Promise<ReadonlyMap<Uuid, Registers>> {
  const registers = new Map<Uuid, Registers>();
  const read = async (userId: Uuid): Promise<void> => {
    const row = await lists.one(userId, change.groupId);
    if (row !== undefined) registers.set(userId, toRegisters(row));
  };
  const former = new Set(intervals.filter(({ leftSeq }) => leftSeq > 0).map(({ userId }) => userId));
  const returning = joinersOf(change).filter((userId) => former.has(userId));
  await Promise.allSettled([...leaversOf(change), ...returning].map(read));
  return registers;
}

function updateFrame(
  group: Group,
  change: GroupChange,
  what: "created" | "renamed" | "members" | "left",
): ServerFrameOf<"CONVERSATION_UPDATE"> {
  return {
    type: "CONVERSATION_UPDATE",
    conversation_id: change.groupId,
    kind: "group",
    change: what,
    name: change.name ?? group.name,
    membership: change.version,
  };
}
