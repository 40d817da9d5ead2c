import { describe, expect, test } from "vitest";
import type { ConversationSettingsStore } from "../../src/core/ports/users.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

export function describeConversationSettings(
  name: string,
  makeHarness: MakeDurableHarness<ConversationSettingsStore>,
): void {
  describe(`conversation settings: ${name}`, () => {
    test("a user who set nothing has none", async () => {
      await using harness = await makeHarness();
      expect(await harness.store.all(newId())).toEqual([]);
    });

    test("the last write of a conversation counts; users and conversations are apart", async () => {
      await using harness = await makeHarness();
      const [user, other, one, two] = [newId(), newId(), newId(), newId()];
      const muted = { conversationId: one, mutedUntil: 5_000, pinned: false, archived: false };
      const pinned = { conversationId: one, mutedUntil: 0, pinned: true, archived: false };
      const archived = { conversationId: two, mutedUntil: 0, pinned: false, archived: true };
      await harness.store.write(user, muted);
      await harness.store.write(user, pinned);
      await harness.store.write(user, archived);
      await harness.store.write(other, muted);
      const all = await harness.store.all(user);
      expect(all).toHaveLength(2);
      expect(all).toEqual(expect.arrayContaining([pinned, archived]));
      expect(await harness.store.all(other)).toEqual([muted]);
    });

    test("they survive the process", async () => {
      await using harness = await makeHarness();
      const user = newId();
      const settings = { conversationId: newId(), mutedUntil: 9, pinned: true, archived: true };
      await harness.store.write(user, settings);
      expect(await (await harness.reopen()).all(user)).toEqual([settings]);
    });
  });
}
