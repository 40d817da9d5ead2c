import { expect, test } from "vitest";
import { createSeededRandom } from "../base/random.ts";
import type { ServerFrame } from "../protocol/frames/server-frames.ts";
import { VirtualTime } from "../../test/helpers/virtual-time.ts";
import { answerPatienceMs, Registrations, resyncSpreadMs, type RegisteredConnection } from "./registrations.ts";

/** A registry that answers what the test says, and this process's connections. */
function createWorld() {
  const time = new VirtualTime();
  const clock = { nowMs: () => time.nowMs, monotonicMs: () => time.nowMs, schedule: time.schedule.bind(time) };
  const world = {
    available: true,
    replaced: new Set<string>(),
    unsettled: false,
    calls: [] as string[],
    /** By connection: who has its device, one after the other. */
    holders: new Map<string, string[]>(),
    errors: [] as unknown[],
    connections: [] as ReturnType<typeof connect>[],
    lose: (_reason: string): void => {},
    displace: (_user: string, _connection: string): void => {},
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
    const asked: ((answered: boolean) => void)[] = [];
    const connection = {
      id,
      caller: { userId: `u-${id}`, device: 1 },
      frames,
      closes,
      asked,
      answers: () => new Promise<boolean>((resolve) => void asked.push(resolve)),
      send: (frame: ServerFrame) => void frames.push(frame),
      close: (reason: string) => {
        closes.push(reason);
        for (const answer of asked) answer(false);
      },
    } satisfies RegisteredConnection & Record<string, unknown>;
    world.connections.push(connection);
    return connection;
  }
  const registrations = new Registrations({
    registry: {
      register: async (_user, _device, id, instead) => {
        await ask(`register ${id}${instead === undefined ? "" : ` instead of ${instead}`}`);
        return world.holders.get(id)?.shift();
      },
      refresh: async (_user, _device, id) => {
        await ask(`refresh ${id}`);
        if (world.unsettled) return "unsettled";
        return world.replaced.has(id) ? "replaced" : "held";
      },
      forget: (_user, _device, id) => ask(`forget ${id}`),
      onLost: (handler) => (world.lose = handler),
      onDisplaced: (handler) => (world.displace = handler),
    },
    connections: () => world.connections,
    of: (userId) => world.connections.filter(({ caller }) => caller.userId === userId),
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

test("a device that is registered elsewhere is asked, and its answer takes it over from exactly that connection", async () => {
  const { world, registrations } = createWorld();
  const connection = world.connect("a");
  world.holders.set("a", ["older", "newer than that"]);
  const registering = registrations.register(connection);
  await world.settle(100);
  expect(world.calls).toEqual(["register a"]);
  connection.asked[0]?.(true);
  await world.settle(100);
  connection.asked[1]?.(true);
  await registering;
  expect(world.calls).toEqual(["register a", "register a instead of older", "register a instead of newer than that"]);
  expect(connection.closes).toEqual([]);
});

test("a device that does not answer takes nothing over, and is closed to come again", async () => {
  const { world, registrations } = createWorld();
  const connection = world.connect("a");
  world.holders.set("a", ["older"]);
  const registering = registrations.register(connection);
  await world.settle(answerPatienceMs);
  await registering;
  expect([world.calls, connection.closes]).toEqual([["register a"], ["silent"]]);
});

test("a device that opens connections faster than they are registered has to come again", async () => {
  const { world, registrations } = createWorld();
  const connection = world.connect("a");
  world.holders.set(
    "a",
    Array.from({ length: 100 }, (_, at) => `other ${at}`),
  );
  connection.answers = () => Promise.resolve(true);
  await registrations.register(connection);
  expect(connection.closes).toEqual(["resync"]);
  expect(world.calls.length).toBeLessThan(10);
});

test("who waits for the answer of its device is not registered by a loss meanwhile", async () => {
  const { world, registrations } = createWorld();
  const connection = world.connect("a");
  world.holders.set("a", ["older"]);
  world.replaced.add("a");
  void registrations.register(connection);
  await world.settle(100);
  world.lose("lost");
  await world.settle(100);
  expect([world.calls, connection.closes]).toEqual([["register a"], []]);
});

test("a connection that is said to be replaced is asked after at once, and no other one", async () => {
  const { world } = createWorld();
  const [connection] = [world.connect("a"), world.connect("b")];
  world.displace("u-a", "an earlier one");
  await world.settle(100);
  expect(world.calls).toEqual([]);
  world.displace("u-a", "a");
  await world.settle(100);
  expect([world.calls, connection.closes]).toEqual([["refresh a"], []]);
  world.replaced.add("a");
  world.displace("u-a", "a");
  await world.settle(100);
  expect(connection.closes).toEqual(["replaced"]);
});

test("so is one whose registration is not answered yet when the news come", async () => {
  const { world, registrations } = createWorld();
  const connection = world.connect("a");
  world.connections.pop();
  world.replaced.add("a");
  const registering = registrations.register(connection);
  world.displace("u-a", "a");
  await registering;
  await world.settle(100);
  expect([world.calls, connection.closes]).toEqual([["register a", "refresh a"], ["replaced"]]);
});

test("nothing is mended once it was stopped", async () => {
  const { world, registrations } = createWorld();
  world.connect("a");
  registrations.stop();
  world.lose("lost");
  await world.settle(5_000);
  expect(world.calls).toEqual([]);
});
