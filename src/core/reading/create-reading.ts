import type { ReadingApi } from "../api.ts";
import { toRegisters } from "../lists/registers.ts";
import { readHistory, readRange } from "./history.ts";
import { ownRow, type ReadingDeps } from "./open-conversation.ts";
import { runSync } from "./sync.ts";
import { byRecency } from "./sync-token.ts";

/**
 * Everything a device reads. Keeps nothing: what a caller may see comes from the groups port each time (through
 * MemberIntervals), what there is from the log.
 */
export function createReading(deps: ReadingDeps): ReadingApi {
  return {
    sync: (caller, cursors, page, send, progress) => runSync(deps, caller, cursors, page, send, progress),
    range: (caller, conversationId, from, to) => readRange(deps, caller, conversationId, from, to),
    history: (caller, conversationId, before, limit) => readHistory(deps, caller, conversationId, before, limit),
    list: async (caller) => [...(await deps.lists.all(caller.userId))].sort(byRecency),
    registers: async (caller, conversationId) => toRegisters(await ownRow(deps, caller, conversationId)),
  };
}
