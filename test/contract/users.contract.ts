import { describe, expect, test } from "vitest";
import { defaultSettings } from "../../src/core/model.ts";
import type { NewUser, Users } from "../../src/core/ports/users.ts";
import { limits } from "../../src/protocol/limits.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

const createdAt = 1_700_000_000_000;

function newUser(handle: string, over: Partial<NewUser> = {}): NewUser {
  return { userId: newId(), handle, displayName: `Name of ${handle}`, createdAt, ...over };
}

export function describeUsers(name: string, makeHarness: MakeDurableHarness<Users>): void {
  describe(`users: ${name}`, () => {
    test("a created user is found by id and by handle, with the default settings", async () => {
      await using harness = await makeHarness();
      const made = newUser("Alice.B");
      expect(await harness.store.create([made])).toEqual([]);
      const user = await harness.store.byId(made.userId);
      expect(user).toEqual({
        userId: made.userId,
        handle: "Alice.B",
        displayName: "Name of Alice.B",
        statusMessage: "",
        createdAt,
        lastLoginAt: 0,
        settings: defaultSettings,
      });
      expect(await harness.store.byHandle("Alice.B")).toEqual(user);
    });

    test("who does not exist is undefined everywhere", async () => {
      await using harness = await makeHarness();
      expect(await harness.store.byId(newId())).toBeUndefined();
      expect(await harness.store.byHandle("nobody")).toBeUndefined();
      expect(await harness.store.passwordHash(newId())).toBeUndefined();
      expect(await harness.store.update(newId(), { displayName: "x" }, {})).toBeUndefined();
    });

    test("a handle is one whatever the case of its letters", async () => {
      await using harness = await makeHarness();
      const made = newUser("CamelCase");
      await harness.store.create([made]);
      expect((await harness.store.byHandle("camelcase"))?.userId).toBe(made.userId);
      expect((await harness.store.byHandle("CAMELCASE"))?.handle).toBe("CamelCase");
      expect(await harness.store.create([newUser("camelCASE")])).toEqual(["camelCASE"]);
    });

    test("all or none: one taken handle leaves nothing of the whole batch, and is named", async () => {
      await using harness = await makeHarness();
      const first = newUser("taken");
      await harness.store.create([first]);
      const batch = [newUser("fresh"), newUser("taken"), newUser("also.fresh")];
      expect(await harness.store.create(batch)).toEqual(["taken"]);
      expect(await harness.store.byHandle("fresh")).toBeUndefined();
      expect(await harness.store.byHandle("also.fresh")).toBeUndefined();
      for (const user of batch) expect(await harness.store.byId(user.userId)).toBeUndefined();
      expect((await harness.store.byHandle("taken"))?.userId).toBe(first.userId);
    });

    test("a handle given twice in one batch is taken", async () => {
      await using harness = await makeHarness();
      expect(await harness.store.create([newUser("twice"), newUser("Twice")])).toEqual(["Twice"]);
      expect(await harness.store.byHandle("twice")).toBeUndefined();
    });

    test("of twenty at once who want one handle exactly one gets it", async () => {
      await using harness = await makeHarness();
      const rivals = Array.from({ length: 20 }, () => newUser("wanted"));
      const answers = await Promise.all(rivals.map((rival) => harness.store.create([rival])));
      const winners = rivals.filter((_, index) => answers[index]?.length === 0);
      expect(winners).toHaveLength(1);
      expect((await harness.store.byHandle("wanted"))?.userId).toBe(winners[0]?.userId);
      const there = await Promise.all(rivals.map((rival) => harness.store.byId(rival.userId)));
      expect(there.filter((user) => user !== undefined)).toHaveLength(1);
    });

    test("an empty batch makes nobody", async () => {
      await using harness = await makeHarness();
      expect(await harness.store.create([])).toEqual([]);
    });

    test("the password hash is kept apart from the profile, and is absent if none was given", async () => {
      await using harness = await makeHarness();
      const [withHash, without] = [newUser("with.hash", { passwordHash: "$x$secret" }), newUser("without")];
      await harness.store.create([withHash, without]);
      expect(await harness.store.passwordHash(withHash.userId)).toBe("$x$secret");
      expect(await harness.store.passwordHash(without.userId)).toBeUndefined();
      expect(JSON.stringify(await harness.store.byId(withHash.userId))).not.toContain("secret");
    });

    test("a password hash is replaced only by one who knows it, durably, and of two at once one does", async () => {
      await using harness = await makeHarness();
      const [made, without] = [newUser("rehashed", { passwordHash: "$x$old" }), newUser("hashless")];
      await harness.store.create([made, without]);
      expect(await harness.store.replacePasswordHash(made.userId, "$x$other", "$x$new")).toBe(false);
      expect(await harness.store.replacePasswordHash(without.userId, "", "$x$new")).toBe(false);
      expect(await harness.store.replacePasswordHash(newId(), "$x$old", "$x$new")).toBe(false);
      expect(await harness.store.passwordHash(made.userId)).toBe("$x$old");
      const rivals = ["$x$one", "$x$two"].map((next) => harness.store.replacePasswordHash(made.userId, "$x$old", next));
      expect((await Promise.all(rivals)).filter((replaced) => replaced)).toHaveLength(1);
      const kept = await harness.store.passwordHash(made.userId);
      expect(["$x$one", "$x$two"]).toContain(kept);
      const store = await harness.reopen();
      expect(await store.passwordHash(made.userId)).toBe(kept);
      expect(await store.passwordHash(without.userId)).toBeUndefined();
    });

    test("an update changes what it names and nothing else", async () => {
      await using harness = await makeHarness();
      const made = newUser("updated", { passwordHash: "$x$kept" });
      await harness.store.create([made]);
      const before = await harness.store.byId(made.userId);
      const after = await harness.store.update(
        made.userId,
        { statusMessage: "At work", photoUrl: "https://example.org/a.png" },
        { lastSeen: "nobody", readReceipts: false },
      );
      expect(after).toEqual({
        ...before,
        statusMessage: "At work",
        photoUrl: "https://example.org/a.png",
        settings: { ...defaultSettings, lastSeen: "nobody", readReceipts: false },
      });
      expect(await harness.store.byId(made.userId)).toEqual(after);
      expect(await harness.store.update(made.userId, {}, {})).toEqual(after);
      expect(await harness.store.passwordHash(made.userId)).toBe("$x$kept");
    });

    test("updates at once of different fields are all kept", async () => {
      await using harness = await makeHarness();
      const made = newUser("busy");
      await harness.store.create([made]);
      await Promise.all([
        harness.store.update(made.userId, { displayName: "New name" }, {}),
        harness.store.update(made.userId, { lastLoginAt: 42 }, {}),
        harness.store.update(made.userId, {}, { about: "contacts" }),
        harness.store.update(made.userId, {}, { groups: "nobody" }),
      ]);
      expect(await harness.store.byId(made.userId)).toMatchObject({
        displayName: "New name",
        lastLoginAt: 42,
        settings: { about: "contacts", groups: "nobody" },
      });
    });

    test("accounts survive the process", async () => {
      await using harness = await makeHarness();
      const made = newUser("durable", { passwordHash: "$x$hash" });
      await harness.store.create([made]);
      const updated = await harness.store.update(made.userId, { displayName: "Kept" }, { notificationSound: "bell" });
      const reopened = await harness.reopen();
      expect(await reopened.byId(made.userId)).toEqual(updated);
      expect(await reopened.byHandle("DURABLE")).toEqual(updated);
      expect(await reopened.passwordHash(made.userId)).toBe("$x$hash");
      expect(await reopened.create([newUser("durable")])).toEqual(["durable"]);
    });

    test("the largest batch is one transaction", async () => {
      await using harness = await makeHarness();
      const users = Array.from({ length: limits.bulkUsersMax }, (_, index) => newUser(`bulk${index}`));
      expect(await harness.store.create(users)).toEqual([]);
      expect((await harness.store.byHandle("bulk0"))?.userId).toBe(users[0]?.userId);
      expect((await harness.store.byHandle(`bulk${limits.bulkUsersMax - 1}`))?.userId).toBe(users.at(-1)?.userId);
      expect(await harness.store.create(users.map((user) => ({ ...user, userId: newId() })))).toHaveLength(
        users.length,
      );
    });
  });
}
