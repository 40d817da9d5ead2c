import { describe, expect, test } from "vitest";
import { createSystemRandom } from "../../src/base/random.ts";
import type { ConnectionRegistry } from "../../src/core/ports/connection-registry.ts";
import { eventually } from "../helpers/eventually.ts";
import { createUuidV7, type Uuid } from "../../src/protocol/ids.ts";

export interface RegistryPairHarness extends AsyncDisposable {
  /** The registries of two processes on one store. */
  readonly near: ConnectionRegistry;
  readonly far: ConnectionRegistry;
  /** Which process a delivery to that user reaches, as `device at near|far`, sorted. */
  holders(userId: Uuid): Promise<readonly string[]>;
  /** Makes registrations `ms` older, as if nobody had refreshed them meanwhile. */
  age(ms: number): Promise<void>;
  /** Ends the lease of the far process, as its death does. */
  endFar(): Promise<void>;
}

const random = createSystemRandom();
const newId = () => createUuidV7(1_700_000_000_000, random);

/** Registers a connection on which the device has just answered. */
async function takeOver(registry: ConnectionRegistry, user: Uuid, device: number, connection: string): Promise<void> {
  let holder: string | undefined;
  do holder = await registry.register(user, device, connection, holder);
  while (holder !== undefined);
}

/** `ttlMs`: how long a registration lives that nobody refreshes. */
export function describeConnectionRegistry(
  name: string,
  ttlMs: number,
  makeHarness: () => Promise<RegistryPairHarness>,
): void {
  describe(`connection registry: ${name}`, () => {
    test("a user nobody registered is nowhere", async () => {
      await using harness = await makeHarness();
      expect(await harness.holders(newId())).toEqual([]);
    });

    test("each device is found at the process that registered it", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.near.register(user, 1, "c1");
      await harness.far.register(user, 2, "c2");
      expect(await harness.holders(user)).toEqual(["1 at near", "2 at far"]);
    });

    test("of two connections of a device the one registered last is held, and the other hears of it", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.near.register(user, 1, "old");
      expect(await harness.near.refresh(user, 1, "old")).toBe("held");
      await takeOver(harness.far, user, 1, "new");
      expect(await harness.holders(user)).toEqual(["1 at far"]);
      expect(await harness.near.refresh(user, 1, "old")).toBe("replaced");
      expect(await harness.far.refresh(user, 1, "new")).toBe("held");
      expect(await harness.holders(user)).toEqual(["1 at far"]);
    });

    test("who finds the device taken takes nothing until it says instead of whom", async () => {
      await using harness = await makeHarness();
      const user = newId();
      expect(await harness.near.register(user, 1, "old")).toBeUndefined();
      const holder = await harness.far.register(user, 1, "late");
      expect(holder).toContain("old");
      expect(await harness.holders(user)).toEqual(["1 at near"]);
      expect(await harness.near.refresh(user, 1, "old")).toBe("held");
      expect(await harness.far.register(user, 1, "late", holder)).toBeUndefined();
      expect(await harness.holders(user)).toEqual(["1 at far"]);
    });

    test("who wants to replace one finds the one that came between, and leaves it alone", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.near.register(user, 1, "old");
      const holder = await harness.far.register(user, 1, "late");
      await takeOver(harness.near, user, 1, "between");
      expect(await harness.far.register(user, 1, "late", holder)).toContain("between");
      expect(await harness.near.refresh(user, 1, "between")).toBe("held");
      expect(await harness.holders(user)).toEqual(["1 at near"]);
    });

    test("the own registration is in nobody's way, and neither is what a dead process left", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.far.register(user, 1, "c1");
      expect(await harness.far.register(user, 1, "c1")).toBeUndefined();
      await harness.endFar();
      expect(await harness.near.register(user, 1, "c2")).toBeUndefined();
      expect(await harness.holders(user)).toEqual(["1 at near"]);
    });

    test("the process of a connection that was replaced elsewhere hears which one it was", async () => {
      await using harness = await makeHarness();
      const user = newId();
      const heard: unknown[] = [];
      harness.near.onDisplaced((...news) => void heard.push(news));
      await harness.near.register(user, 1, "old");
      await harness.far.register(user, 1, "late");
      expect(heard).toEqual([]);
      await takeOver(harness.far, user, 1, "new");
      await eventually(() => expect(heard).toEqual([[user, "old"]]));
    });

    test("so it is within one process", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.near.register(user, 1, "old");
      await takeOver(harness.near, user, 1, "new");
      expect(await harness.near.refresh(user, 1, "old")).toBe("replaced");
      expect(await harness.near.refresh(user, 1, "new")).toBe("held");
    });

    test("a connection that ended is forgotten, as often as it is asked", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.near.register(user, 1, "c1");
      await harness.near.forget(user, 1, "c1");
      await harness.near.forget(user, 1, "c1");
      expect(await harness.holders(user)).toEqual([]);
    });

    test("an old connection that ends late does not take its successor with it", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.near.register(user, 1, "old");
      await takeOver(harness.far, user, 1, "new");
      await harness.near.forget(user, 1, "old");
      expect(await harness.holders(user)).toEqual(["1 at far"]);
    });

    test("a registration that nobody refreshes ends, one that is refreshed lives", async () => {
      await using harness = await makeHarness();
      const [silent, lasting] = [newId(), newId()];
      await harness.near.register(silent, 1, "c1");
      await harness.near.register(lasting, 1, "c2");
      await harness.age(ttlMs * 0.6);
      expect(await harness.near.refresh(lasting, 1, "c2")).toBe("held");
      await harness.age(ttlMs * 0.6);
      expect(await harness.holders(silent)).toEqual([]);
      expect(await harness.holders(lasting)).toEqual(["1 at near"]);
    });

    test("a registration that was lost comes back with the next refresh", async () => {
      await using harness = await makeHarness();
      const user = newId();
      await harness.near.register(user, 1, "c1");
      await harness.age(ttlMs);
      expect(await harness.near.refresh(user, 1, "c1")).toBe("held");
      expect(await harness.holders(user)).toEqual(["1 at near"]);
    });
  });
}
