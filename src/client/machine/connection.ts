import type { ServerFrameOf } from "../../protocol/frames/server-frames.ts";
import { connectionEnded, dropConnection, moveConnection, silentAt } from "./connection-end.ts";
import { pullReceipts } from "./group-receipts.ts";
import type { DeviceState } from "./state.ts";
import { driveSync, requestSync } from "./sync.ts";
import { workAll } from "./work.ts";

/**
 * The connection of one device, one at a time:
 *
 *   stopped → connecting → greeting (HELLO sent) → ready (WELCOME came) → waiting → connecting → …
 *
 * A close code that forbids coming back leads to stopped; the host repairs what is wrong (token, version) and starts again.
 */
export function startConnection(device: DeviceState): void {
  if (device.connectionState !== "stopped" && device.connectionState !== "waiting") return;
  enter(device, "connecting");
  device.connectionAt = Infinity;
  device.environment.effects.connect(device.owner);
}

export function connectionOpened(device: DeviceState, nowMs: number): void {
  if (device.connectionState !== "connecting") return;
  const { config, effects } = device.environment;
  enter(device, "greeting");
  device.connectionAt = nowMs + config.welcomeTimeoutMs;
  effects.send(device.owner, {
    type: "HELLO",
    device: device.device,
    client: { name: config.clientName, version: config.clientVersion },
  });
}

export function connectionClosed(device: DeviceState, nowMs: number, code: number): void {
  if (device.connectionState === "stopped" || device.connectionState === "waiting") return;
  device.counters.reconnects++;
  connectionEnded(device, nowMs, code);
}

export function acceptWelcome(device: DeviceState, nowMs: number, frame: ServerFrameOf<"WELCOME">): void {
  if (device.connectionState !== "greeting") return;
  const { config, effects, random } = device.environment;
  enter(device, "ready");
  device.connectionAt = Infinity;
  device.heartbeatMs = frame.heartbeat_ms;
  // The first one at random, so that thousands of devices that connected together do not beat together.
  device.heartbeatAt = nowMs + random.float() * frame.heartbeat_ms;
  device.holdUntil = nowMs + config.syncHoldMs;
  if (device.watched.length > 0) effects.send(device.owner, { type: "WATCH", user_ids: [...device.watched] });
  for (const conversation of device.conversations.values()) if (conversation.open) pullReceipts(device, conversation);
  requestSync(device, nowMs);
  // Before the rest: what the sync will bring need not be asked for hole by hole.
  driveSync(device, nowMs);
  workAll(device, nowMs);
}

export function acceptReconnect(device: DeviceState, nowMs: number, frame: ServerFrameOf<"RECONNECT">): void {
  if (device.connectionState === "ready") device.connectionAt = nowMs + frame.after_ms;
}

/** Deadlines of the connection itself. */
export function driveConnection(device: DeviceState, nowMs: number): void {
  if (nowMs >= device.connectionAt) {
    if (device.connectionState === "waiting") startConnection(device);
    else if (device.connectionState === "greeting") dropConnection(device, nowMs, "no WELCOME");
    else if (device.connectionState === "ready") moveConnection(device, nowMs);
  }
  if (device.connectionState !== "ready") return;
  if (nowMs >= silentAt(device)) {
    dropConnection(device, nowMs, "silent");
    return;
  }
  if (nowMs < device.heartbeatAt) return;
  device.environment.effects.send(device.owner, { type: "HEARTBEAT" });
  device.heartbeatAt = nowMs + device.heartbeatMs;
}

function enter(device: DeviceState, state: "connecting" | "greeting" | "ready"): void {
  device.connectionState = state;
  device.environment.effects.emit(device.owner, { type: "connection", state, code: undefined, retryAtMs: undefined });
}
