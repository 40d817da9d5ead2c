import { expect, test } from "vitest";
import { AssertionError } from "../../base/assert.ts";
import { limits } from "../../protocol/limits.ts";
import { createMachineConfig } from "./config.ts";

test("the defaults agree with the protocol's limits", () => {
  expect(createMachineConfig().rangeRowsMax).toBe(limits.pageRowsMax);
});

test.each([
  { sendWindowPerConversation: 0 },
  { sendWindowPerConversation: 600 },
  { sendWindowPerConnection: limits.draftsPerConnectionMax },
  { rangeRowsMax: limits.pageRowsMax + 1 },
  { backoffMinMs: 0 },
  { silenceHeartbeats: 1 },
])("a configuration that contradicts itself is refused: %j", (overrides) => {
  expect(() => createMachineConfig(overrides)).toThrow(AssertionError);
});
