import { directConversationId } from "../../protocol/ids.ts";
import { finishChanges } from "../groups/finish-changes.ts";
import { isLarge } from "../fan-out/chunks.ts";
import type { LaneContext } from "./lane-context.ts";
import type { Lane } from "./lane.ts";
import { loadEnd, loadListed, proveBorder, repairBehind } from "./log-end.ts";
import { createPeers } from "./peers.ts";
import type { PendingSend } from "./pending-send.ts";

/** Whether the lane knows all that every send needs: the usual case, and then nothing is read. */
export function isReady(context: LaneContext, lane: Lane, pending: readonly PendingSend[]): boolean {
  if (!lane.known || lane.isBehind || lane.listedTo === undefined) return false;
  if (lane.kind === "direct") {
    if (lane.peers === undefined || lane.listedTo < lane.end.head) return false;
  } else {
    const view = context.directory.group(lane.conversationId);
    if (view?.group.membership !== lane.end.membership) return false;
    if (lane.listedTo < lane.end.head && !isLarge(view.userIds.length)) return false;
  }
  return lane.room(context.ports.log.bucketRows) > 0 && !aheadOf(lane, pending);
}

/**
 * Reads what the lane lacks. Answers false when the attempt has to begin again; sends that cannot go anywhere are refused.
 * Rejects with the WireError of a store: then nothing was written.
 */
export async function makeReady(context: LaneContext, lane: Lane, pending: readonly PendingSend[]): Promise<boolean> {
  if (lane.kind === "direct" && lane.peers === undefined) await findPeers(context, lane, pending);
  if (lane.kind === "direct" && lane.peers === undefined) return false;
  for (const send of pending) {
    if (lane.listedTo === undefined) await loadListed(context, lane, send.caller.userId);
  }
  // An append that has to fail costs more than this read, and so does the serial one below.
  if (!lane.known || lane.isBehind) await loadEnd(context, lane, "latest");
  // A cursor beyond the head is wrong only if a serial read that began after it came says so.
  if (aheadOf(lane, pending)) await loadEnd(context, lane, "serial");
  if (lane.kind === "group") {
    const cached = context.directory.group(lane.conversationId);
    const current = cached?.group.membership === lane.end.membership ? cached : await finishChanges(context, lane);
    if (current === undefined) {
      for (const send of pending) send.refuse("no_such_conversation");
      return false;
    }
    // What nobody listed goes into the queue together with what is appended next.
    if (isLarge(current.userIds.length)) return hasRoom(context, lane);
  }
  await repairBehind(context, lane);
  return hasRoom(context, lane);
}

async function hasRoom(context: LaneContext, lane: Lane): Promise<boolean> {
  return lane.room(context.ports.log.bucketRows) > 0 || proveBorder(context, lane);
}

function aheadOf(lane: Lane, pending: readonly PendingSend[]): boolean {
  const { head } = lane.end;
  for (const send of pending) {
    if (send.draft.since > head && send.ticket >= lane.serialTicket) return true;
  }
  return false;
}

/**
 * A direct chat that was addressed by its id: the caller's own list row tells the peer, and the id has to be the hash of
 * the two, since no client is believed about that.
 */
async function findPeers(context: LaneContext, lane: Lane, pending: readonly PendingSend[]): Promise<void> {
  for (const send of pending) {
    if (lane.peers !== undefined) return;
    const { userId } = send.caller;
    const peerId = (await context.ports.lists.one(userId, lane.conversationId))?.peerId;
    if (peerId === undefined || directConversationId(userId, peerId) !== lane.conversationId) {
      send.refuse("no_such_conversation");
    } else {
      lane.peers ??= createPeers(userId, peerId);
    }
  }
}
