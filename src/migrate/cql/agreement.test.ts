import { expect, test } from "vitest";
import { awaitAgreement } from "./agreement.ts";

test("waits until every node knows the schema", async () => {
  const answers = [false, false, true];
  let looks = 0;
  await awaitAgreement(
    { schemaAgrees: async () => answers[looks++] ?? true },
    { monotonicMs: () => 0 },
    async () => {},
  );
  expect(looks).toBe(3);
});

test("gives up after a while, and says which command names the node", async () => {
  let nowMs = 0;
  const waiting = awaitAgreement({ schemaAgrees: async () => false }, { monotonicMs: () => nowMs }, async () => {
    nowMs += 1_000;
  });
  await expect(waiting).rejects.toMatchObject({
    code: "no_agreement",
    message: expect.stringContaining("did not agree on one schema") as string,
  });
});
