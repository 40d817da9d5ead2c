import { expect, test } from "vitest";
import { expectSeeds } from "./expect-seeds.ts";

// In two files, so that two processes share the work.
test("every promise holds in seeds 1101 to 2200", async () => {
  await expect(expectSeeds(1101, 2200)).resolves.toBeUndefined();
});
