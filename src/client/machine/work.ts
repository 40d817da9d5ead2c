import { silentAt } from "./connection-end.ts";
import { repairGaps } from "./gaps.ts";
import { pump } from "./outbox.ts";
import { sendReceipts } from "./receipts.ts";
import type { ConversationState, DeviceState } from "./state.ts";

/**
 * After every input: let each conversation that was touched do what is due, remember when it wants to be looked at again,
 * and keep one wake-up standing for the earliest deadline of the device.
 */
export function work(device: DeviceState, conversation: ConversationState, nowMs: number): void {
  if (device.connectionState !== "ready") return;
  const sendAt = pump(device, conversation, nowMs);
  const receiptAt = sendReceipts(device, conversation, nowMs);
  const gapAt = repairGaps(device, conversation, nowMs);
  conversation.nextAt = Math.min(sendAt, receiptAt, gapAt);
  if (conversation.nextAt === Infinity) device.attention?.delete(conversation);
  else {
    (device.attention ??= new Set()).add(conversation);
    device.attentionAt = Math.min(device.attentionAt, conversation.nextAt);
  }
}

/** After a connection or a sync: anything may be owed anywhere. */
export function workAll(device: DeviceState, nowMs: number): void {
  for (const conversation of device.conversations.values()) work(device, conversation, nowMs);
}

/** Conversations whose deadline has come. */
export function workDue(device: DeviceState, nowMs: number): void {
  if (nowMs < device.attentionAt || device.attention === undefined) return;
  device.attentionAt = Infinity;
  for (const conversation of device.attention) {
    if (conversation.nextAt <= nowMs) work(device, conversation, nowMs);
    else device.attentionAt = Math.min(device.attentionAt, conversation.nextAt);
  }
}

/** Those that waited for room in a window of the whole device. */
export function workWaiters(device: DeviceState, nowMs: number): void {
  const { config } = device.environment;
  if (device.windowWaiters !== undefined && device.sendsInFlight < config.sendWindowPerConnection) {
    const waiters = device.windowWaiters;
    device.windowWaiters = undefined;
    for (const conversation of waiters) work(device, conversation, nowMs);
  }
  if (device.rangeWaiters !== undefined && device.rangesInFlight < config.rangesInFlightMax) {
    const waiters = device.rangeWaiters;
    device.rangeWaiters = undefined;
    for (const conversation of waiters) work(device, conversation, nowMs);
  }
}

/** Asks to be woken for the earliest deadline, unless an earlier wake-up stands already. */
export function scheduleWake(device: DeviceState): void {
  let earliest = Math.min(device.connectionAt, device.heartbeatAt, device.attentionAt);
  if (device.connectionState === "ready") earliest = Math.min(earliest, device.syncAt, silentAt(device));
  if (earliest >= device.wakeAt) return;
  device.wakeAt = earliest;
  device.environment.effects.wake(device.owner, earliest);
}
