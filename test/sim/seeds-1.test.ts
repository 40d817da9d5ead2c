import { expect, test } from "vitest";
import { expectSeeds } from "./expect-seeds.ts";

// In two files, so that two processes share the work.
test("every promise holds in seeds 1 to 500", async () => {
  await expect(expectSeeds(1, 500)).resolves.toBeUndefined();
});
