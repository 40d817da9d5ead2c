import type { LaneContext } from "./lane-context.ts";
import { newMessageFrame } from "./message-row.ts";
import type { Lane } from "./lane.ts";
import type { Round } from "./round.ts";
import { pushViews } from "./viewed-rows.ts";

/**
 * Tells the devices of those who may see the rows of a round that is durable; not the device that sent. A row for the
 * sender alone goes to the sender's other devices, and nobody else hears that anything happened. The other members of a
 * large group hear it from the fan-out workers.
 */
export function pushRound(context: LaneContext, lane: Lane, round: Round): void {
  const { bus } = context.ports;
  const { conversationId } = lane;
  const everyone = lane.peers?.userIds ?? round.view?.userIds ?? [];
  for (let index = 0; index < round.rows.length; index++) {
    const row = round.rows[index];
    const send = round.owners[index];
    if (row === undefined || send === undefined) continue;
    const userIds = row.visibility === 0 && !round.isLarge ? everyone : [row.senderId];
    bus.deliver({ userIds, frame: newMessageFrame(conversationId, row), except: send.answeredDevice });
  }
  if (round.views !== undefined) pushViews(context, lane, round);
}
