import { checkConvergence } from "../../src/bench/ledger/check-convergence.ts";
import { FaultList, faults } from "../../src/bench/ledger/faults.ts";
import { addRow, emptyHash } from "../../src/bench/ledger/row-hash.ts";
import { toRegisters } from "../../src/core/lists/registers.ts";
import type { LogRow } from "../../src/core/model.ts";
import { isVoid, type PageRow, type Registers } from "../../src/protocol/fields.ts";
import { countUnreadRows, directMessageStatus } from "../../src/protocol/receipt-math.ts";
import { unreadOf } from "./check-lists.ts";
import type { SimDevice } from "./device.ts";
import { dueTo, seenBy, type Conversation } from "./truth.ts";
import type { World } from "./world.ts";

/** What pushes alone have to bring to a device, and what only a sync tells it. */
const always = ["last_seq"] as const;
const afterSync = ["last_seq", "read_seq", "read_ucount", "left_seq"] as const;

/** I5 and I8 on the devices: each holds what its user may see and nothing else, and knows the registers of the lists. */
export function checkDevices(world: World, conversations: readonly Conversation[], synced: boolean): void {
  for (const device of world.devices) {
    const { machine } = device;
    if (machine?.connectionState !== "ready") {
      world.witness.blame("progress", `${device.name} is ${machine?.connectionState ?? "not running"}`);
      continue;
    }
    for (const entry of machine.outbox()) {
      if (entry.state === "pending") world.witness.blame("progress", `${device.name} still sends ${entry.messageId}`);
    }
    for (const conversation of conversations) checkDevice(world, device, conversation, synced);
  }
}

function checkDevice(world: World, device: SimDevice, conversation: Conversation, synced: boolean): void {
  const { conversationId } = conversation;
  const { userId } = device;
  const { witness } = world;
  const name = `${device.name} in ${conversation.name}`;
  const held = device.disk.rows(conversationId, Number.MAX_SAFE_INTEGER);
  checkHeld(world, device, conversation, held, name);
  const seen = dueTo(world, conversation, userId, synced);
  if (seen.length === 0) return;
  const view = device.machine?.conversation(conversationId);
  const listed = world.stores.lists.rowOf(userId, conversationId);
  const last = seen.at(-1)?.seq ?? 0;
  if (view === undefined || listed === undefined) {
    witness.blame("I5", `${name} knows nothing`);
    return;
  }
  if (view.filled < last) {
    witness.blame("I5", `${name} is filled to ${view.filled} of ${last}${view.filling ? " and asks for more" : ""}`);
    return;
  }
  // Beyond what is due the device may hold more or less than the list.
  if (seen.length < seenBy(conversation, userId).length || (view.filled > last && !synced)) return;
  const found = new FaultList();
  let hash = emptyHash;
  for (const row of held) if (!isVoid(row) && row.seq >= view.start) hash = addRow(hash, row.seq, row.message_id);
  const log = seen.map((row) => ({
    seq: row.seq,
    id: row.messageId,
    sender: "",
    user: row.senderId,
    n: 0,
    countable: true,
  }));
  checkConvergence(conversation.name, log, [{ device: device.name, start: view.start, hash }], found);
  for (const { fault, detail } of found.report().cases) witness.blame(faults[fault], detail);

  const truth = toRegisters(listed);
  for (const field of synced ? afterSync : always) {
    if (view.registers[field] === truth[field]) continue;
    witness.blame("I5", `${name} has ${field} ${view.registers[field]}, the list ${truth[field]}`);
  }
  checkTicks(world, device, conversation, seen, truth, name);
  if (view.unread === undefined && view.start > truth.read_seq + 1) return;
  const unread = view.unread ?? countUnreadRows(held, view.registers.read_seq, userId);
  const expected = unreadOf(conversation, userId, view.registers.read_seq);
  if (unread.count !== expected) witness.blame("I8", `${name} shows ${unread.count} unread, the log has ${expected}`);
}

function checkTicks(
  world: World,
  device: SimDevice,
  conversation: Conversation,
  seen: readonly LogRow[],
  truth: Registers,
  name: string,
): void {
  // Nobody else looks at notes to oneself.
  if (conversation.members.size === 1) return;
  for (const row of seen) {
    if (row.senderId !== device.userId || conversation.kind === "group" || row.visibility === 1) continue;
    const ticks = device.machine?.statusOf(conversation.conversationId, row.seq, undefined);
    const given = directMessageStatus(row.seq, truth, undefined);
    if (ticks !== given) world.witness.blame("I5", `${name} shows ${ticks} at seq ${row.seq}, the list ${given}`);
  }
}

/** Each row that it holds is the one of the log, as its user may see it. */
function checkHeld(
  world: World,
  device: SimDevice,
  conversation: Conversation,
  held: readonly PageRow[],
  name: string,
): void {
  const { witness } = world;
  const readable = new Set(seenBy(conversation, device.userId).map((row) => row.seq));
  for (const row of held) {
    const truth = conversation.rows[row.seq - 1];
    if (truth === undefined) witness.blame("I5", `${name} holds seq ${row.seq}, which is not in the log`);
    else if (isVoid(row)) {
      if (readable.has(row.seq)) witness.blame("I5", `${name} holds nothing at seq ${row.seq}`);
    } else if (row.message_id !== truth.messageId)
      witness.blame("I5", `${name} holds another message at seq ${row.seq}`);
    else if (!readable.has(row.seq)) witness.blame("I7", `${name} holds seq ${row.seq}, which its user may not see`);
    else if (row.envelope !== Buffer.from(truth.envelope).toString("base64") || row.ucount !== truth.ucount) {
      witness.blame("I5", `${name} holds seq ${row.seq} with another content`);
    } else if ((row.max_status === "sent") !== (truth.visibility === 1)) {
      witness.blame("I4", `${name} has max_status ${row.max_status} at seq ${row.seq}`);
    }
  }
}
