import { expect, test } from "vitest";
import { decodeBatch } from "./bus-batch.ts";
import { GapDetector } from "./gap-detector.ts";
import { Peers } from "./peers.ts";

/** What process `a` says, and what process `b` under an epoch concludes from it. */
function createWorld() {
  const world = { fails: false, sent: [] as string[], peers: undefined as unknown as Peers };
  world.peers = new Peers(
    { node: "a", epoch: "a1" },
    {
      publish: async (_node, text) => {
        if (world.fails) throw new Error("no answer");
        world.sent.push(text);
      },
      onError: () => {},
    },
  );
  const missedBy = async (epoch: string): Promise<string | undefined> => {
    await world.peers.find("b:")?.say("beacon");
    const beacon = decodeBatch(world.sent.at(-1) ?? "");
    return beacon && new GapDetector(epoch).hear(beacon, 0);
  };
  return { world, missedBy };
}

test("what was dropped for a process is missed by it under its next epoch too", async () => {
  const { world, missedBy } = createWorld();
  world.peers.meet("b", "b1");
  world.peers.skipAll();
  world.peers.metAll();
  world.peers.meet("b", "b2");
  expect(await missedBy("b2")).toBe("1 batches of process a are missing");
});

test("so is what could not be published", async () => {
  const { world, missedBy } = createWorld();
  const outbox = world.peers.meet("b", "b1");
  world.fails = true;
  outbox?.add("{}");
  outbox?.flush();
  await Promise.resolve();
  await Promise.resolve();
  world.fails = false;
  world.peers.meet("b", "b2");
  expect(await missedBy("b2")).toBe("1 batches of process a are missing");
});

test("what was dropped is missed after the own numbering began anew", async () => {
  const { world, missedBy } = createWorld();
  world.peers.meet("b", "b1");
  world.peers.skipAll();
  world.peers.metAll();
  world.peers.restart({ node: "a", epoch: "a2" });
  expect(await missedBy("b1")).toBe("1 batches of process a are missing");
});

test("what was dropped before a process was met is missed by it, until every living one was met", async () => {
  const { world, missedBy } = createWorld();
  world.peers.skipAll();
  world.peers.meet("b", "b1");
  expect(await missedBy("b1")).toBe("1 batches of process a are missing");
  world.peers.keep(new Set());
  world.peers.metAll();
  world.peers.meet("b", "b1");
  expect(await missedBy("b1")).toBeUndefined();
});

test("a process that missed nothing finds nothing missing, whatever began anew", async () => {
  const { world, missedBy } = createWorld();
  world.peers.meet("b", "b1");
  world.peers.meet("b", "b2");
  world.peers.restart({ node: "a", epoch: "a2" });
  expect(await missedBy("b2")).toBeUndefined();
});
