import { expect, test } from "vitest";
import { createSeededRandom } from "../base/random.ts";
import type { ServerFrame } from "../protocol/frames/server-frames.ts";
import { VirtualTime } from "../../test/helpers/virtual-time.ts";
import { Registrations, resyncSpreadMs, type RegisteredConnection } from "./registrations.ts";

/** A registry that answers what the test says, and this process's connections. */
function createWorld() {
  const time = new VirtualTime();
  const clock = { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs, schedule: time.schedule.bind(time) };
  const world = {
    available: true,
    replaced: new Set<string>(),
    unsettled: false,
    calls: [] as string[],
    errors: [] as unknown[],
    connections: [] as ReturnType<typeof connect>[],
    lose: (_reason: string): void => {},
    time,
    connect,
    async settle(ms: number) {
      for (let at = 0; at < ms; at += 100) {
        for (let turn = 0; turn < 10; turn++) await Promise.resolve();
        time.runUntil(time.nowMs + 100);
      }
    },
  };
  const ask = async (call: string): Promise<void> => {
    world.calls.push(call);
    if (!world.available) throw new Error("gone");
  };
  function connect(id: string) {
    const frames: ServerFrame[] = [];
    const closes: string[] = [];
    const connection = {
      id,
      caller: { userId: `u-${id}`, device: 1 },
      frames,
      closes,
      send: (frame: ServerFrame) => void frames.push(frame),
      close: (reason: string) => void closes.push(reason),
    } satisfies RegisteredConnection & { frames: ServerFrame[]; closes: string[] };
    world.connections.push(connection);
    return connection;
  }
  const registrations = new Registrations({
    registry: {
      register: (_user, _device, id) => ask(`register ${id}`),
      refresh: async (_user, _device, id) => {
        await ask(`refresh ${id}`);
        if (world.unsettled) return "unsettled";
        return world.replaced.has(id) ? "replaced" : "held";
      },
      forget: (_user, _device, id) => ask(`forget ${id}`),
      onLost: (handler) => (world.lose = handler),
    },
    connections: () => world.connections,
    clock,
    random: createSeededRandom(1),
    onError: (error) => void world.errors.push(error),
  });
  return { world, registrations };
}

test("a registry that does not answer stops nobody, and mends everyone when it is back", async () => {
  const { world, registrations } = createWorld();
  world.available = false;
  const connection = world.connect("a");
  await registrations.register(connection);
  await world.settle(5_000);
  expect(connection.frames).toEqual([]);
  world.available = true;
  await world.settle(1_500 + resyncSpreadMs);
  expect(connection.frames.map(({ type }) => type)).toEqual(["RESYNC"]);
  expect(world.calls.at(-1)).toBe("refresh a");
  expect(world.errors.length).toBeGreaterThan(1);
});

test("what was lost is registered again, and each connection is told to sync once", async () => {
  const { world } = createWorld();
  const connections = Array.from({ length: 600 }, (_, at) => world.connect(String(at)));
  world.lose("frames are missing");
  await world.settle(1_000 + resyncSpreadMs);
  expect(world.calls).toHaveLength(600);
  expect(connections.every(({ frames }) => frames.length === 1)).toBe(true);
});

test("a loss while everything is registered again is mended by another round", async () => {
  const { world } = createWorld();
  const connection = world.connect("a");
  world.lose("first");
  world.lose("second");
  await world.settle(1_000 + resyncSpreadMs);
  expect(world.calls).toEqual(["refresh a", "refresh a"]);
  expect(connection.frames).toHaveLength(2);
});

test("a connection that was replaced elsewhere is closed: for good by its heartbeat, to come again when all are registered anew", async () => {
  const { world, registrations } = createWorld();
  const [beating, mended] = [world.connect("a"), world.connect("b")];
  world.replaced.add("a").add("b");
  registrations.refresh(beating);
  await world.settle(100);
  expect([beating.closes, mended.closes]).toEqual([["replaced"], []]);
  world.lose("lost");
  await world.settle(100);
  expect(mended.closes).toEqual(["resync"]);
});

test("a connection whose registration was not taken is not ended for good by the one its device had before", async () => {
  const { world, registrations } = createWorld();
  world.available = false;
  const [beating, silent] = [world.connect("a"), world.connect("b")];
  await registrations.register(beating);
  await registrations.register(silent);
  world.available = true;
  world.replaced.add("a").add("b");
  registrations.refresh(beating);
  await world.settle(1_500);
  expect([beating.closes[0], silent.closes[0]]).toEqual(["resync", "resync"]);
});

test("a process that may hold nothing any more sends its clients elsewhere", async () => {
  const { world, registrations } = createWorld();
  const [beating, silent] = [world.connect("a"), world.connect("b")];
  world.unsettled = true;
  registrations.refresh(beating);
  world.lose("another process has the name of this one");
  await world.settle(100);
  expect([beating.closes[0], silent.closes[0]]).toEqual(["resync", "resync"]);
});

test("nothing is mended once it was stopped", async () => {
  const { world, registrations } = createWorld();
  world.connect("a");
  registrations.stop();
  world.lose("lost");
  await world.settle(5_000);
  expect(world.calls).toEqual([]);
});
