import { MemoryMediaRows } from "../helpers/core-ports/memory-media-stores.ts";
import { describeMediaRows } from "./media-rows.contract.ts";

/** The rows that the tests of the core run on keep the contract too; the object is their disk. */
describeMediaRows("memory", async () => {
  const store = new MemoryMediaRows();
  return { store, reopen: async () => store, [Symbol.asyncDispose]: async () => undefined };
});
