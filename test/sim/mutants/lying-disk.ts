import type { Mutant } from "./mutant.ts";

/** The device takes a change for durable before it is: receipts and first sends leave too early. */
export const lyingDisk: Mutant = { name: "lying-disk", diskLies: true };
