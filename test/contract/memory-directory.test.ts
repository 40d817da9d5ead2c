import { MemoryGroups } from "../helpers/core-ports/memory-groups.ts";
import { MemoryConversationSettings, MemoryRelations, MemoryUsers } from "../helpers/core-ports/memory-people.ts";
import { fairWeather } from "../helpers/core-ports/weather.ts";
import { describeConversationSettings } from "./conversation-settings.contract.ts";
import type { DurableHarness, MakeDurableHarness } from "./durable-harness.ts";
import { describeGroups } from "./groups.contract.ts";
import { describeRelations } from "./relations.contract.ts";
import { describeUsers } from "./users.contract.ts";

/** The stores that the core's tests and the simulator run on are held to the same contracts; the object is their disk. */
function memoryHarness<Store>(create: () => Store): MakeDurableHarness<Store> {
  return async (): Promise<DurableHarness<Store>> => {
    const store = create();
    return { store, reopen: async () => store, [Symbol.asyncDispose]: async () => undefined };
  };
}

describeGroups(
  "memory",
  memoryHarness(() => new MemoryGroups()),
);
describeUsers(
  "memory",
  memoryHarness(() => new MemoryUsers()),
);
const limitsMax = { contacts: 4, blocks: 6 };
describeRelations(
  "memory",
  limitsMax,
  memoryHarness(() => new MemoryRelations(fairWeather(), limitsMax)),
);
describeConversationSettings(
  "memory",
  memoryHarness(() => new MemoryConversationSettings()),
);
