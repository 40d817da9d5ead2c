import { describe, expect, test } from "vitest";
import { createSystemRandom } from "../../src/base/random.ts";
import type { PresenceInterest } from "../../src/core/ports/presence.ts";
import { createUuidV7, type Uuid } from "../../src/protocol/ids.ts";
import { eventually } from "../helpers/eventually.ts";

export interface InterestHarness extends AsyncDisposable {
  /** Three processes. */
  readonly near: PresenceInterest;
  readonly far: PresenceInterest;
  readonly other: PresenceInterest;
  /** Makes interests `ms` older, as if nobody had repeated them meanwhile. */
  age(ms: number): Promise<void>;
  /** The store forgets everything, and the processes notice. */
  loseMemory(): Promise<void>;
  /** The near process lost its lease and has a new one. */
  beginAnew(): Promise<void>;
}

const random = createSystemRandom();
const newId = () => createUuidV7(1_700_000_000_000, random);

/** What a process is told, each user as often as it is told of. */
function listen(interest: PresenceInterest): Uuid[] {
  const told: Uuid[] = [];
  interest.onTold((userIds) => void told.push(...userIds));
  return told;
}

/** `ttlMs`: how long an interest lives that nobody repeats. */
export function describePresenceInterest(
  name: string,
  ttlMs: number,
  makeHarness: () => Promise<InterestHarness>,
): void {
  describe(`presence interest: ${name}`, () => {
    test("who wants to hear of a user is told what changes elsewhere as soon as the wish is taken", async () => {
      await using harness = await makeHarness();
      const told = listen(harness.near);
      for (let round = 0; round < 20; round++) {
        const user = newId();
        await harness.near.want([user]);
        harness.far.tell(user);
        await eventually(() => expect(told).toContain(user));
      }
    });

    test("nobody is told of users that they did not ask for, or have released", async () => {
      await using harness = await makeHarness();
      const told = listen(harness.near);
      const [stranger, left, watched] = [newId(), newId(), newId()];
      await harness.near.want([left, watched]);
      await harness.near.release([left, stranger]);
      for (const user of [stranger, left, watched]) harness.far.tell(user);
      await eventually(() => expect(told).toEqual([watched]));
      // What came later came alone, too.
      harness.far.tell(left);
      harness.far.tell(watched);
      await eventually(() => expect(told).toEqual([watched, watched]));
    });

    test("every process that wants it is told, but not the one that tells", async () => {
      await using harness = await makeHarness();
      const [near, far, other] = [listen(harness.near), listen(harness.far), listen(harness.other)];
      const [user, marker] = [newId(), newId()];
      for (const interest of [harness.near, harness.far, harness.other]) await interest.want([user]);
      await harness.far.want([marker]);
      harness.far.tell(user);
      await eventually(() => expect([near, other]).toEqual([[user], [user]]));
      harness.near.tell(marker);
      await eventually(() => expect(far).toEqual([marker]));
    });

    test("an interest that nobody repeats ends, one that is repeated lives", async () => {
      await using harness = await makeHarness();
      const told = listen(harness.near);
      const [forgotten, lasting] = [newId(), newId()];
      await harness.near.want([forgotten, lasting]);
      await harness.age(ttlMs * 0.6);
      await harness.near.want([lasting]);
      await harness.age(ttlMs * 0.6);
      harness.far.tell(forgotten);
      harness.far.tell(lasting);
      await eventually(() => expect(told).toEqual([lasting]));
    });

    test("wishes that the store lost are there again once they are repeated", async () => {
      await using harness = await makeHarness();
      const told = listen(harness.near);
      const user = newId();
      await harness.near.want([user]);
      await harness.loseMemory();
      await harness.near.want([user]);
      harness.far.tell(user);
      await eventually(() => expect(told).toEqual([user]));
    });

    test("a process that began anew is told once, whatever it wished before", async () => {
      await using harness = await makeHarness();
      const told = listen(harness.near);
      const [user, marker] = [newId(), newId()];
      await harness.near.want([user]);
      await harness.beginAnew();
      await harness.near.want([user, marker]);
      harness.far.tell(user);
      await eventually(() => expect(told).toEqual([user]));
      harness.far.tell(marker);
      await eventually(() => expect(told).toEqual([user, marker]));
    });

    test("news of a thousand users in one moment all arrive", async () => {
      await using harness = await makeHarness();
      const told = listen(harness.near);
      const users = Array.from({ length: 1_200 }, newId);
      await harness.near.want(users);
      for (const user of users) harness.far.tell(user);
      await eventually(() => expect(new Set(told)).toEqual(new Set(users)));
    });

    test("telling where nobody wants to know, and releasing what nobody wanted, does no harm", async () => {
      await using harness = await makeHarness();
      const user = newId();
      expect(() => harness.far.tell(user)).not.toThrow();
      await harness.near.release([user]);
      await harness.near.release([]);
      await harness.near.want([]);
    });
  });
}
