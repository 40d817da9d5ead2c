import type { Uuid } from "../../protocol/ids.ts";
import type { Lanes } from "../delivery/lanes.ts";
import { finishChanges } from "./finish-changes.ts";

const changesPerRead = 256;

/**
 * Finishes the group changes that an earlier process left half done, everywhere. Call once at start; safe beside other
 * processes that do the same. Tries each group once, then rejects with the first error if there was one; what is left is
 * finished when its group is first used.
 */
export async function recoverGroups(lanes: Lanes): Promise<void> {
  const tried = new Set<Uuid>();
  const errors: unknown[] = [];
  for (;;) {
    const changes = await lanes.context.ports.groups.pending(undefined, changesPerRead);
    const groupIds = new Set(changes.map((change) => change.groupId).filter((groupId) => !tried.has(groupId)));
    if (groupIds.size === 0) break;
    for (const groupId of groupIds) {
      tried.add(groupId);
      try {
        await lanes.enter(groupId, (lane) => finishChanges(lanes.context, lane));
      } catch (error) {
        errors.push(error);
      }
    }
  }
  if (errors.length > 0) throw errors[0];
}
