import { limits } from "../../src/protocol/limits.ts";
import { createMemoryBus } from "../../src/stores/memory/bus.ts";
import { createMemoryPresence } from "../../src/stores/memory/presence.ts";
import { createMemoryRateLimits } from "../../src/stores/memory/rate-limits.ts";
import { createMemoryTyping } from "../../src/stores/memory/typing.ts";
import { describeBus } from "./bus.contract.ts";
import { describePresence } from "./presence.contract.ts";
import { describeRateLimits } from "./rate-limits.contract.ts";
import { createManualHarness } from "./timed-harness.ts";
import { describeTyping } from "./typing.contract.ts";

describePresence("memory", limits, async () => createManualHarness(createMemoryPresence()));
describeTyping("memory", limits.typingTtlMs, async () => createManualHarness(createMemoryTyping()));
describeRateLimits("memory", async () => createManualHarness(createMemoryRateLimits()));
describeBus("memory", async () => ({
  store: createMemoryBus(() => {}),
  async connect() {},
  async settled() {},
  async [Symbol.asyncDispose]() {},
}));
