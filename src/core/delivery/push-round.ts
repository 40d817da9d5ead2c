import type { Bus } from "../ports/bus.ts";
import { newMessageFrame } from "./message-row.ts";
import type { Lane } from "./lane.ts";
import type { Round } from "./round.ts";

/**
 * Tells the devices of those who may see the rows of a round that is durable; not the device that sent. A row for the
 * sender alone goes to the sender's other devices, and nobody else hears that anything happened.
 */
export function pushRound(bus: Bus, lane: Lane, round: Round): void {
  const { conversationId } = lane;
  const everyone = lane.peers?.userIds ?? round.view?.userIds ?? [];
  for (let index = 0; index < round.rows.length; index++) {
    const row = round.rows[index];
    const send = round.owners[index];
    if (row === undefined || send === undefined) continue;
    const userIds = row.visibility === 0 ? everyone : [row.senderId];
    bus.deliver({ userIds, frame: newMessageFrame(conversationId, row), except: send.caller });
    const read = round.viewers?.has(send) === true ? round.reads?.get(row.senderId) : undefined;
    if (read === undefined) continue;
    // To the sender's own other devices: the message implied that everything before it was read.
    bus.deliver({
      userIds: [row.senderId],
      except: send.caller,
      frame: {
        type: "STATUS_UPDATE",
        conversation_id: conversationId,
        user_id: row.senderId,
        recv_seq: 0,
        read_seq: read.seq,
        read_ucount: read.ucount,
      },
    });
  }
}
