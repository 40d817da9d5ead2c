import { describe, expect, test } from "vitest";
import type { Presence } from "../../src/core/ports/presence.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { createUuidV7 } from "../../src/protocol/ids.ts";
import type { MakeTimedHarness } from "./timed-harness.ts";

const random = createSystemRandom();
const newId = () => createUuidV7(1_700_000_000_000, random);

/** `ttls`: those the store under test was made with; a store with a clock of its own may be made with short ones. */
export function describePresence(
  name: string,
  ttls: { readonly presenceTtlMs: number; readonly lastSeenTtlMs: number },
  makeHarness: MakeTimedHarness<Presence>,
): void {
  describe(`presence: ${name}`, () => {
    test("a user nobody has heard of is offline, last seen unknown", async () => {
      await using harness = await makeHarness();
      expect(await harness.store.lookup([newId()], harness.now())).toEqual([{ online: false, lastSeenAt: 0 }]);
      expect(await harness.store.lookup([], harness.now())).toEqual([]);
    });

    test("a beat makes the user online until the TTL has passed, and is the time last seen", async () => {
      await using harness = await makeHarness();
      const user = newId();
      const beatAt = harness.now();
      await harness.store.beat(user, 1, "c1", beatAt);
      await harness.advance(ttls.presenceTtlMs * 0.8);
      expect(await harness.store.lookup([user], harness.now())).toEqual([{ online: true, lastSeenAt: beatAt }]);
      await harness.advance(ttls.presenceTtlMs * 0.2);
      expect(await harness.store.lookup([user], harness.now())).toEqual([{ online: false, lastSeenAt: beatAt }]);
    });

    test("each beat extends the time online", async () => {
      await using harness = await makeHarness();
      const user = newId();
      for (let round = 0; round < 4; round++) {
        await harness.store.beat(user, 1, "c1", harness.now());
        await harness.advance(ttls.presenceTtlMs * 0.6);
      }
      expect((await harness.store.lookup([user], harness.now()))[0]?.online).toBe(true);
    });

    test("leaving makes the user offline at once and is the time last seen", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.store.beat(user, 1, "c1", harness.now());
      await harness.advance(ttls.presenceTtlMs * 0.2);
      const leftAt = harness.now();
      await harness.store.leave(user, 1, "c1", leftAt);
      expect(await harness.store.lookup([user], harness.now())).toEqual([{ online: false, lastSeenAt: leftAt }]);
      await harness.store.leave(user, 1, "c1", leftAt);
      expect(await harness.store.lookup([user], harness.now())).toEqual([{ online: false, lastSeenAt: leftAt }]);
    });

    test("an old connection that closes late does not take its successor's presence", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.store.beat(user, 1, "old", harness.now());
      await harness.store.beat(user, 1, "new", harness.now());
      const beatAt = harness.now();
      await harness.advance(ttls.presenceTtlMs * 0.2);
      await harness.store.leave(user, 1, "old", harness.now());
      expect(await harness.store.lookup([user], harness.now())).toEqual([{ online: true, lastSeenAt: beatAt }]);
      await harness.store.leave(user, 1, "new", harness.now());
      expect((await harness.store.lookup([user], harness.now()))[0]?.online).toBe(false);
    });

    test("a connection that beats again while it is taken for gone is there", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.store.beat(user, 1, "c1", harness.now());
      // As a process does that stood still: its timers come before what waits in its sockets.
      const leaving = harness.store.leave(user, 1, "c1", harness.now());
      await harness.store.beat(user, 1, "c1", harness.now());
      await leaving;
      expect((await harness.store.lookup([user], harness.now()))[0]?.online).toBe(true);
      await harness.store.leave(user, 1, "c1", harness.now());
      expect((await harness.store.lookup([user], harness.now()))[0]?.online).toBe(false);
    });

    test("a user is online while any device is", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.store.beat(user, 1, "c1", harness.now());
      await harness.store.beat(user, 2, "c2", harness.now());
      await harness.store.leave(user, 1, "c1", harness.now());
      expect((await harness.store.lookup([user], harness.now()))[0]?.online).toBe(true);
      await harness.store.leave(user, 2, "c2", harness.now());
      expect((await harness.store.lookup([user], harness.now()))[0]?.online).toBe(false);
    });

    test("a device that fell silent does not keep the user online when another one leaves", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.store.beat(user, 1, "c1", harness.now());
      await harness.advance(ttls.presenceTtlMs * 0.6);
      await harness.store.beat(user, 2, "c2", harness.now());
      await harness.advance(ttls.presenceTtlMs * 0.6);
      await harness.store.leave(user, 2, "c2", harness.now());
      expect((await harness.store.lookup([user], harness.now()))[0]?.online).toBe(false);
    });

    test("users are answered in the order asked, doubles too", async () => {
      await using harness = await makeHarness();
      const [online, offline] = [newId(), newId()];
      await harness.store.beat(online, 1, "c1", harness.now());
      const states = await harness.store.lookup([offline, online, offline, online], harness.now());
      expect(states.map((state) => state.online)).toEqual([false, true, false, true]);
    });

    test("last seen is forgotten after its own TTL", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.store.beat(user, 1, "c1", harness.now());
      await harness.advance(ttls.lastSeenTtlMs);
      expect(await harness.store.lookup([user], harness.now())).toEqual([{ online: false, lastSeenAt: 0 }]);
    });

    test("hundreds of users beat at once", async () => {
      await using harness = await makeHarness();
      const users = Array.from({ length: 500 }, newId);
      await Promise.all(users.map((user) => harness.store.beat(user, 1, "c1", harness.now())));
      const states = await harness.store.lookup(users, harness.now());
      expect(states.filter((state) => state.online)).toHaveLength(500);
    });
  });
}
