import { describe, expect, test } from "vitest";
import type { Relations } from "../../src/core/ports/relations.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

/** `limitsMax`: the bounds the store under test was made with, low enough to be reached here. */
export function describeRelations(
  name: string,
  limitsMax: { readonly contacts: number; readonly blocks: number },
  makeHarness: MakeDurableHarness<Relations>,
): void {
  describe(`relations: ${name}`, () => {
    test("strangers have nothing to do with each other", async () => {
      await using harness = await makeHarness();
      const [one, other] = [newId(), newId()];
      expect(await harness.store.contacts(one)).toEqual([]);
      expect(await harness.store.blocks(one)).toEqual([]);
      expect(await harness.store.between(one, other)).toEqual({ contact: false, blocked: false });
    });

    test("contacts and blocks are directed", async () => {
      await using harness = await makeHarness();
      const [owner, other] = [newId(), newId()];
      expect(await harness.store.putContact(owner, { userId: other, name: "Bob" })).toBe(true);
      expect(await harness.store.between(owner, other)).toEqual({ contact: true, blocked: false });
      expect(await harness.store.between(other, owner)).toEqual({ contact: false, blocked: false });
      expect(await harness.store.putBlock(owner, other, true)).toBe(true);
      expect(await harness.store.between(owner, other)).toEqual({ contact: true, blocked: true });
      expect(await harness.store.between(other, owner)).toEqual({ contact: false, blocked: false });
      expect(await harness.store.blocks(owner)).toEqual([other]);
      expect(await harness.store.blocks(other)).toEqual([]);
    });

    test("putting a contact again renames it; removing it, also twice, leaves nothing", async () => {
      await using harness = await makeHarness();
      const [owner, other] = [newId(), newId()];
      await harness.store.putContact(owner, { userId: other, name: "Bob" });
      await harness.store.putContact(owner, { userId: other, name: "" });
      expect(await harness.store.contacts(owner)).toEqual([{ userId: other, name: "" }]);
      expect(await harness.store.putContact(owner, { remove: other })).toBe(true);
      expect(await harness.store.putContact(owner, { remove: other })).toBe(true);
      expect(await harness.store.contacts(owner)).toEqual([]);
    });

    test("blocking and unblocking twice is the same as once, and leaves contacts alone", async () => {
      await using harness = await makeHarness();
      const [owner, other] = [newId(), newId()];
      await harness.store.putContact(owner, { userId: other, name: "Bob" });
      await harness.store.putBlock(owner, other, true);
      await harness.store.putBlock(owner, other, true);
      expect(await harness.store.blocks(owner)).toEqual([other]);
      await harness.store.putBlock(owner, other, false);
      expect(await harness.store.putBlock(owner, other, false)).toBe(true);
      expect(await harness.store.between(owner, other)).toEqual({ contact: true, blocked: false });
    });

    test("at the limit new contacts are refused, the ones there can still be renamed and removed", async () => {
      await using harness = await makeHarness();
      const owner = newId();
      const others = Array.from({ length: limitsMax.contacts }, newId);
      for (const userId of others) expect(await harness.store.putContact(owner, { userId, name: "" })).toBe(true);
      const extra = { userId: newId(), name: "" };
      expect(await harness.store.putContact(owner, extra)).toBe(false);
      expect((await harness.store.between(owner, extra.userId)).contact).toBe(false);
      const first = others[0] as string;
      expect(await harness.store.putContact(owner, { userId: first, name: "renamed" })).toBe(true);
      expect(await harness.store.putContact(owner, { remove: first })).toBe(true);
      expect(await harness.store.putContact(owner, extra)).toBe(true);
      expect(await harness.store.contacts(owner)).toHaveLength(limitsMax.contacts);
    });

    test("many at once do not pass the limit", async () => {
      await using harness = await makeHarness();
      const owner = newId();
      const attempts = Array.from({ length: limitsMax.blocks + 5 }, () => harness.store.putBlock(owner, newId(), true));
      const taken = (await Promise.all(attempts)).filter(Boolean);
      expect(taken).toHaveLength(limitsMax.blocks);
      expect(await harness.store.blocks(owner)).toHaveLength(limitsMax.blocks);
    });

    test("repeating one write many times at once counts once", async () => {
      await using harness = await makeHarness();
      const [owner, other] = [newId(), newId()];
      await Promise.all(Array.from({ length: limitsMax.blocks + 5 }, () => harness.store.putBlock(owner, other, true)));
      await Promise.all(Array.from({ length: 5 }, () => harness.store.putBlock(owner, other, false)));
      const fill = Array.from({ length: limitsMax.blocks }, () => harness.store.putBlock(owner, newId(), true));
      expect(await Promise.all(fill)).toEqual(fill.map(() => true));
    });

    test("relations and their limits survive the process", async () => {
      await using harness = await makeHarness();
      const owner = newId();
      const blocked = Array.from({ length: limitsMax.blocks }, newId);
      for (const userId of blocked) await harness.store.putBlock(owner, userId, true);
      await harness.store.putContact(owner, { userId: blocked[0] as string, name: "Ex" });
      const reopened = await harness.reopen();
      expect((await reopened.blocks(owner)).toSorted()).toEqual(blocked.toSorted());
      expect(await reopened.contacts(owner)).toEqual([{ userId: blocked[0], name: "Ex" }]);
      expect(await reopened.putBlock(owner, newId(), true)).toBe(false);
    });
  });
}
