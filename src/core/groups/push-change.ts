import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { readersOf } from "../delivery/fan-out.ts";
import { newMessageFrame } from "../delivery/message-row.ts";
import type { Group, GroupChange, LogRow, MemberInterval } from "../model.ts";
import type { Bus } from "../ports/bus.ts";
import { intervalsAt, joinersOf, leaversOf } from "./change-writes.ts";

/**
 * Tells every device of those who may read the row of a settled change, also of those who were removed by it and of the
 * one who made it (the row has to fill that device's log too): what the group is now, then the row.
 */
export function pushChange(
  bus: Bus,
  group: Group,
  change: GroupChange,
  row: LogRow,
  intervals: readonly MemberInterval[],
): void {
  const readers = new Set(readersOf({ kind: "group", intervals: intervalsAt(change, row.seq, intervals) }, row));
  const joiners = joinersOf(change);
  const leavers = leaversOf(change);
  const others = [...readers].filter((userId) => !joiners.includes(userId) && !leavers.includes(userId));
  const tell = (userIds: readonly Uuid[], what: "created" | "renamed" | "members" | "left"): void => {
    if (userIds.length > 0) bus.deliver({ userIds, frame: updateFrame(group, change, what) });
  };
  tell(joiners, "created");
  tell(others, change.kind === "rename" ? "renamed" : "members");
  tell(leavers, "left");
  bus.deliver({ userIds: [...readers], frame: newMessageFrame(change.groupId, row) });
}

function updateFrame(group: Group, change: GroupChange, what: "created" | "renamed" | "members" | "left"): ServerFrame {
  return {
    type: "CONVERSATION_UPDATE",
    conversation_id: change.groupId,
    kind: "group",
    change: what,
    name: change.name ?? group.name,
    membership: change.version,
  };
}
