import { describe, expect, test } from "vitest";
import type { Typing } from "../../src/core/ports/presence.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { createUuidV7 } from "../../src/protocol/ids.ts";
import type { MakeTimedHarness } from "./timed-harness.ts";

const random = createSystemRandom();
const newId = () => createUuidV7(1_700_000_000_000, random);

export function describeTyping(name: string, typingTtlMs: number, makeHarness: MakeTimedHarness<Typing>): void {
  describe(`typing: ${name}`, () => {
    test("nobody types in a conversation nobody touched", async () => {
      await using harness = await makeHarness();
      expect(await harness.store.list(newId(), harness.now())).toEqual([]);
    });

    test("everyone who started is listed once, in that conversation only", async () => {
      await using harness = await makeHarness();
      const [conversation, other, one, two] = [newId(), newId(), newId(), newId()];
      await harness.store.start(conversation, one, harness.now());
      await harness.store.start(conversation, two, harness.now());
      await harness.store.start(conversation, one, harness.now());
      expect((await harness.store.list(conversation, harness.now())).toSorted()).toEqual([one, two].toSorted());
      expect(await harness.store.list(other, harness.now())).toEqual([]);
    });

    test("each typist ends by its own TTL, a refresh extends it", async () => {
      await using harness = await makeHarness();
      const [conversation, brief, lasting] = [newId(), newId(), newId()];
      await harness.store.start(conversation, brief, harness.now());
      await harness.store.start(conversation, lasting, harness.now());
      await harness.advance(typingTtlMs * 0.6);
      await harness.store.start(conversation, lasting, harness.now());
      await harness.advance(typingTtlMs * 0.4);
      expect(await harness.store.list(conversation, harness.now())).toEqual([lasting]);
      await harness.advance(typingTtlMs);
      expect(await harness.store.list(conversation, harness.now())).toEqual([]);
    });
  });
}
