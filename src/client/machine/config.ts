import { assert } from "../../base/assert.ts";
import { limits } from "../../protocol/limits.ts";
import type { MachineConfig } from "./types.ts";

export const defaultMachineConfig: MachineConfig = {
  clientName: "msgr",
  clientVersion: "0",
  receiptDelayMs: 20,
  gapDelayMs: 50,
  sendWindowPerConversation: 64,
  sendWindowPerConnection: 512,
  outboxEntriesMax: 10_000,
  heldRowsMax: 256,
  runsPerConversationMax: 16,
  rangesInFlightMax: 4,
  rangeRowsMax: limits.pageRowsMax,
  behindRowsMax: limits.syncBehindRowsMax,
  answerTimeoutMs: 15_000,
  welcomeTimeoutMs: 10_000,
  syncHoldMs: 5_000,
  backoffMinMs: 200,
  // Whatever was down, everybody is back within 30 s of its end (promise I12): waiting, connecting and catching up.
  backoffMaxMs: 20_000,
  silenceHeartbeats: 2.5,
};

/** `overrides` win; throws when the result contradicts itself or the protocol's limits. */
export function createMachineConfig(overrides: Partial<MachineConfig> = {}): MachineConfig {
  const config = { ...defaultMachineConfig, ...overrides };
  assert(config.receiptDelayMs >= 0 && config.gapDelayMs >= 0, "delays are not negative");
  assert(config.sendWindowPerConversation >= 1, "a window lets something pass");
  assert(config.sendWindowPerConversation <= config.sendWindowPerConnection, "a conversation fits its connection");
  assert(config.sendWindowPerConnection < limits.draftsPerConnectionMax, "the server takes a full window");
  assert(config.outboxEntriesMax >= config.sendWindowPerConversation, "the outbox holds a window");
  assert(config.heldRowsMax >= 1 && config.runsPerConversationMax >= 1 && config.rangesInFlightMax >= 1, "bounds");
  assert(config.rangeRowsMax >= 1 && config.rangeRowsMax <= limits.pageRowsMax, "a range fits a page");
  assert(config.answerTimeoutMs > 0 && config.welcomeTimeoutMs > 0 && config.syncHoldMs >= 0, "time-outs");
  assert(config.backoffMinMs > 0 && config.backoffMinMs <= config.backoffMaxMs, "backoff grows");
  assert(config.silenceHeartbeats > 1, "one heartbeat may be late");
  return config;
}
