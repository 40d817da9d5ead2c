import { mayReconnect } from "../../protocol/close-codes.ts";
import { backoffMs } from "./backoff.ts";
import { dropHistoryRequest } from "./history.ts";
import { recallAll } from "./outbox-recall.ts";
import type { ConversationState, DeviceState } from "./state.ts";

/**
 * What the end of a connection does, whoever ends it: nothing is in flight any more, everything unanswered is owed again
 * on the next one, and the close code decides whether there is one.
 */
export function connectionEnded(device: DeviceState, nowMs: number, code: number): void {
  forgetInFlight(device);
  if (mayReconnect(code)) {
    const { config, random } = device.environment;
    wait(device, nowMs + backoffMs(device.attempts++, config.backoffMinMs, config.backoffMaxMs, random), code);
    return;
  }
  device.connectionState = "stopped";
  device.connectionAt = Infinity;
  tell(device, code, undefined);
}

/** Ends the connection from this side (the server is silent, or its memory of this connection is of no use) and connects again. */
export function dropConnection(device: DeviceState, nowMs: number, reason: string): void {
  device.environment.effects.disconnect(device.owner, reason);
  connectionEnded(device, nowMs, 1006);
}

/** Moves to another connection at once: the server asked for it and gave each client a moment of its own. */
export function moveConnection(device: DeviceState, nowMs: number): void {
  device.environment.effects.disconnect(device.owner, "moved");
  forgetInFlight(device);
  wait(device, nowMs, 1000);
}

export function stopConnection(device: DeviceState): void {
  if (device.connectionState === "stopped") return;
  if (device.connectionState !== "waiting") device.environment.effects.disconnect(device.owner, "stopped");
  forgetInFlight(device);
  device.connectionState = "stopped";
  device.connectionAt = Infinity;
  tell(device, undefined, undefined);
}

/** When the connection counts as dead unless something arrives. */
export function silentAt(device: DeviceState): number {
  return device.heardAt + device.environment.config.silenceHeartbeats * device.heartbeatMs;
}

function wait(device: DeviceState, connectAtMs: number, code: number): void {
  device.connectionState = "waiting";
  device.connectionAt = connectAtMs;
  tell(device, code, connectAtMs);
}

function tell(device: DeviceState, code: number | undefined, retryAtMs: number | undefined): void {
  const state = device.connectionState;
  device.environment.effects.emit(device.owner, { type: "connection", state, code, retryAtMs });
}

function forgetInFlight(device: DeviceState): void {
  recallAll(device);
  device.syncRequest = undefined;
  device.syncAt = Infinity;
  device.syncAgain = false;
  device.synced = false;
  device.rangesInFlight = 0;
  device.rangeWaiters = undefined;
  device.heartbeatAt = Infinity;
  device.attention = undefined;
  device.attentionAt = Infinity;
  for (const conversation of device.conversations.values()) forgetRequests(device, conversation);
}

function forgetRequests(device: DeviceState, conversation: ConversationState): void {
  conversation.rangeRequest = undefined;
  dropHistoryRequest(device, conversation, "not_ready", "the connection ended");
  conversation.gapAt = Infinity;
  conversation.gapAttempts = 0;
  conversation.syncTried = false;
  conversation.closed = false;
  conversation.delivered = undefined;
  conversation.read = undefined;
  conversation.retryAttempts = 0;
  conversation.window = Infinity;
  conversation.nextAt = Infinity;
}
