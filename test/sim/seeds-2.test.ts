import { expect, test } from "vitest";
import { expectSeeds } from "./expect-seeds.ts";

// In two files, so that two processes share the work.
test("every promise holds in seeds 501 to 1000", async () => {
  await expect(expectSeeds(501, 1000)).resolves.toBeUndefined();
});
