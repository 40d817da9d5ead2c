import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { eventually } from "../helpers/eventually.ts";
import type { Bus, Delivery, Notice } from "../../src/core/ports/bus.ts";

/** Two processes, each with a bus. */
export interface BusPairHarness extends AsyncDisposable {
  readonly near: Bus;
  readonly far: Bus;
  /** Makes the far process the one that holds this device's connection. */
  connectFar(userId: string, device: number): Promise<void>;
}

export interface BusHarness extends AsyncDisposable {
  readonly store: Bus;
  /** Makes this process one that the user is connected to, where the bus routes by that. */
  connect(userId: string): Promise<void>;
  /** Resolves when everything delivered or announced so far has arrived. */
  settled(): Promise<void>;
}

const user = "018bcfe5-6800-7000-8000-000000000001";
const delivery: Delivery = {
  userIds: [user],
  frame: { type: "RESYNC", reason: "test" },
  except: { userId: user, device: 2 },
};
const notices: readonly Notice[] = [
  { notice: "sessions_revoked", userId: user, devices: [1, 2] },
  { notice: "blocks_changed", ownerId: user, otherId: user },
  { notice: "group_changed", groupId: user, version: 3 },
  { notice: "settings_changed", userId: user },
];

function createReceiver() {
  const received: { deliveries: Delivery[]; notices: Notice[] } = { deliveries: [], notices: [] };
  return {
    received,
    deliver: (arrived: Delivery) => void received.deliveries.push(arrived),
    notice: (arrived: Notice) => void received.notices.push(arrived),
  };
}

export function describeBus(name: string, makeHarness: () => Promise<BusHarness>): void {
  describe(`bus: ${name}`, () => {
    test("a delivery reaches the process that holds the user's connections, whole", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      harness.store.subscribe(receiver);
      await harness.connect(user);
      harness.store.deliver(delivery);
      await harness.settled();
      expect(receiver.received.deliveries).toEqual([delivery]);
    });

    test("every notice reaches the announcing process too", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      harness.store.subscribe(receiver);
      for (const notice of notices) void harness.store.announce(notice);
      expect(receiver.received.notices).toEqual(notices);
      await harness.settled();
      expect(receiver.received.notices).toEqual(notices);
    });

    test("a notice that is on its way to everybody is answered so, and hearing is proven from then on", async () => {
      await using harness = await makeHarness();
      harness.store.subscribe(createReceiver());
      for (const notice of notices) expect(await harness.store.announce(notice)).toBe(true);
      const announcedAtMs = systemClock.monotonicMs();
      await eventually(() => expect(harness.store.hearing().toMs).toBeGreaterThanOrEqual(announcedAtMs));
      expect(harness.store.hearing().sinceMs).toBeLessThanOrEqual(announcedAtMs);
    });

    test("without a receiver deliveries are lost in silence", async () => {
      await using harness = await makeHarness();
      expect(() => harness.store.deliver(delivery)).not.toThrow();
      expect(await harness.store.announce(notices[0] as Notice)).toBe(true);
      await harness.settled();
    });

    test("a receiver that throws harms neither the sender nor what comes next", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      let failures = 1;
      harness.store.subscribe({
        notice: receiver.notice,
        deliver(arrived) {
          if (failures-- > 0) throw new Error("receiver");
          receiver.deliver(arrived);
        },
      });
      await harness.connect(user);
      expect(() => harness.store.deliver(delivery)).not.toThrow();
      expect(() => harness.store.deliver(delivery)).not.toThrow();
      await harness.settled();
      expect(receiver.received.deliveries).toEqual([delivery]);
    });

    test("a second receiver is refused", async () => {
      await using harness = await makeHarness();
      harness.store.subscribe(createReceiver());
      expect(() => harness.store.subscribe(createReceiver())).toThrow(/one receiver/);
    });
  });
}

/** Of a bus that connects processes: what is said at one end is heard at the other. */
export function describeBusPair(name: string, makeHarness: () => Promise<BusPairHarness>): void {
  const other = "018bcfe5-6800-7000-8000-000000000002";
  const marker: Delivery = { userIds: [other], frame: { type: "RESYNC", reason: "marker" } };

  describe(`bus between processes: ${name}`, () => {
    test("a delivery reaches the process that holds the user's connection, whole", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      harness.far.subscribe(receiver);
      await harness.connectFar(user, 1);
      harness.near.deliver(delivery);
      await eventually(() => expect(receiver.received.deliveries).toEqual([delivery]));
    });

    test("users of one delivery that are connected elsewhere are not among those that arrive", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      harness.far.subscribe(receiver);
      await harness.connectFar(user, 1);
      harness.near.deliver({ ...marker, userIds: [other, user] });
      await eventually(() => expect(receiver.received.deliveries).toEqual([{ ...marker, userIds: [user] }]));
    });

    test("the device that caused it is no reason to send it there", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      harness.far.subscribe(receiver);
      await harness.connectFar(user, 2);
      await harness.connectFar(other, 1);
      harness.near.deliver(delivery);
      harness.near.deliver(marker);
      await eventually(() => expect(receiver.received.deliveries).toEqual([marker]));
    });

    test("every notice reaches both processes, once each", async () => {
      await using harness = await makeHarness();
      const [near, far] = [createReceiver(), createReceiver()];
      harness.near.subscribe(near);
      harness.far.subscribe(far);
      for (const notice of notices) void harness.near.announce(notice);
      expect(near.received.notices).toEqual(notices);
      await eventually(() => expect(far.received.notices).toEqual(notices));
    });

    test("what one end announced was heard at the other before that one proves to have heard it", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      harness.far.subscribe(receiver);
      for (let version = 1; version <= 10; version++) {
        const notice: Notice = { notice: "group_changed", groupId: user, version };
        expect(await harness.near.announce(notice)).toBe(true);
        const announcedAtMs = systemClock.monotonicMs();
        await eventually(() => expect(harness.far.hearing().toMs).toBeGreaterThanOrEqual(announcedAtMs));
        expect(receiver.received.notices).toContainEqual(notice);
        expect(harness.far.hearing().sinceMs).toBeLessThan(announcedAtMs);
      }
    });

    test("a thousand deliveries of one moment all arrive, in the order in which they were made", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      harness.far.subscribe(receiver);
      await harness.connectFar(user, 1);
      const reasons = Array.from({ length: 1_000 }, (_, index) => `${index}`);
      for (const reason of reasons) harness.near.deliver({ userIds: [user], frame: { type: "RESYNC", reason } });
      await eventually(() => expect(receiver.received.deliveries).toHaveLength(1_000));
      expect(receiver.received.deliveries.map(({ frame }) => (frame as { reason: string }).reason)).toEqual(reasons);
    });

    test("a receiver that throws there harms neither the sender nor what comes next", async () => {
      await using harness = await makeHarness();
      const receiver = createReceiver();
      let failures = 1;
      harness.far.subscribe({
        notice: receiver.notice,
        deliver(arrived) {
          if (failures-- > 0) throw new Error("receiver");
          receiver.deliver(arrived);
        },
      });
      await harness.connectFar(user, 1);
      harness.near.deliver(delivery);
      harness.near.deliver(delivery);
      await eventually(() => expect(receiver.received.deliveries).toEqual([delivery]));
    });
  });
}
