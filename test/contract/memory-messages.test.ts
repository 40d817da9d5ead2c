import { MemoryLists } from "../helpers/core-ports/memory-lists.ts";
import { MemoryLog } from "../helpers/core-ports/memory-log.ts";
import { MemoryReceipts } from "../helpers/core-ports/memory-receipts.ts";
import { describeConversationLists } from "./conversation-lists.contract.ts";
import type { DurableHarness, MakeDurableHarness } from "./durable-harness.ts";
import { describeMessageLog } from "./message-log.contract.ts";
import { describeReceipts } from "./receipts.contract.ts";

/** The stores that the core's tests and the simulator run on are held to the same contracts; the object is their disk. */
function memoryHarness<Store>(create: () => Store): MakeDurableHarness<Store> {
  return async (): Promise<DurableHarness<Store>> => {
    const store = create();
    return { store, reopen: async () => store, [Symbol.asyncDispose]: async () => undefined };
  };
}

describeMessageLog(
  "memory",
  memoryHarness(() => {
    const lists = new MemoryLists();
    const receipts = new MemoryReceipts();
    return { log: new MemoryLog(lists, receipts, 4), lists, receipts };
  }),
);
describeConversationLists(
  "memory",
  memoryHarness(() => new MemoryLists()),
);
describeReceipts(
  "memory",
  memoryHarness(() => new MemoryReceipts()),
);
