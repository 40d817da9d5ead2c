import { expect, test } from "vitest";
import { startTcpProxy } from "../../../src/bench/faults/tcp-proxy.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Notice } from "../../../src/core/ports/bus.ts";
import { eventually } from "../../helpers/eventually.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { receive, startTestNode, type TestNode } from "../../helpers/redis-nodes.ts";
import { startRedis } from "../../helpers/redis-server.ts";

const user = "018bcfe5-6800-7000-8000-000000000001";
const notice: Notice = { notice: "settings_changed", userId: user };
const nowMs = (): number => systemClock.monotonicMs();
const start = async (url: string, nodeId: string): Promise<TestNode> =>
  receive(await startTestNode({ url, keyPrefix: "t:", timeoutMs: 500 }, { nodeId, timing: { lossPauseMs: 1 } }));
const proofAgeMs = ({ node }: TestNode): number => nowMs() - node.bus.hearing().toMs;

/** Something read now will be believed. */
const hears = async (made: TestNode): Promise<void> => {
  const fromMs = nowMs();
  await eventually(() => {
    const { sinceMs, toMs } = made.node.bus.hearing();
    expect(toMs).toBeGreaterThanOrEqual(Math.max(fromMs, sinceMs));
  });
};

describeOn(["redis"], "what a process proves to have heard", () => {
  test("begins anew when its listening connection was cut, in the turn in which it sees that", async () => {
    await using server = await startRedis();
    await using made = await start(server.url, "near");
    await hears(made);
    const readAtMs = nowMs();
    let isProven: boolean | undefined;
    made.redis.subscriber.on("close", () => (isProven = made.node.bus.hearing().sinceMs <= readAtMs));
    await made.redis.commands.call("CLIENT", "KILL", "TYPE", "pubsub");
    await eventually(() => expect(isProven).toBe(false));
    await hears(made);
    expect(made.node.bus.hearing().sinceMs).toBeGreaterThan(readAtMs);
  });

  test("ends while Redis stands still, and a notice of that time is not answered as told", async () => {
    await using server = await startRedis();
    await using made = await start(server.url, "near");
    await hears(made);
    server.signal("SIGSTOP");
    expect(await made.node.bus.announce(notice)).toBe(false);
    expect(made.notices).toEqual([notice]);
    await eventually(() => expect(proofAgeMs(made)).toBeGreaterThan(1_000));
    server.signal("SIGCONT");
    await hears(made);
    expect(await made.node.bus.announce(notice)).toBe(true);
  });

  test("ends when what Redis sends does not arrive, although its connection looks alive", async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(`127.0.0.1:${server.port}`);
    await using made = await start(`redis://127.0.0.1:${proxy.port}`, "near");
    await using far = await start(server.url, "far");
    await hears(made);
    proxy.hold("toClient");
    expect(await far.node.bus.announce(notice)).toBe(true);
    await eventually(() => expect(proofAgeMs(made)).toBeGreaterThan(1_000));
    expect(made.notices).toEqual([]);
  });

  test("is old in a process that stood still, until it has heard what came meanwhile", async () => {
    await using server = await startRedis();
    await using made = await start(server.url, "near");
    await using far = await start(server.url, "far");
    await hears(made);
    const told = far.node.bus.announce(notice);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
    expect(proofAgeMs(made)).toBeGreaterThan(1_000);
    expect(made.notices).toEqual([]);
    expect(await told).toBe(true);
    await hears(made);
    expect(made.notices).toEqual([notice]);
  });

  test("covers processes that the announcing one does not know of", async () => {
    await using server = await startRedis();
    await using far = await start(server.url, "far");
    await using near = await start(server.url, "near");
    const { commands, keys } = near.redis;
    await commands.del(keys.nodes);
    expect(await near.node.bus.announce(notice)).toBe(true);
    await hears(far);
    expect(far.notices).toEqual([notice]);
  });

  test("goes on while another process cannot reach Redis: of a change made there nobody here can know", async () => {
    await using server = await startRedis();
    await using proxy = await startTcpProxy(`127.0.0.1:${server.port}`);
    await using cutOff = await start(`redis://127.0.0.1:${proxy.port}`, "cut-off");
    await using made = await start(server.url, "near");
    await hears(made);
    proxy.refuse(true);
    proxy.cut();
    // Its falling silent is told once, after some seconds, and begins the span anew; what is read later is believed again.
    await eventually(async () => {
      await hears(made);
      const readAtMs = nowMs();
      expect(await cutOff.node.bus.announce(notice)).toBe(false);
      const changedAtMs = nowMs();
      await eventually(() => expect(made.node.bus.hearing().toMs).toBeGreaterThan(changedAtMs + 1_000));
      expect(made.node.bus.hearing().sinceMs).toBeLessThanOrEqual(readAtMs);
    });
    expect(made.notices).toEqual([]);
  });

  test("begins anew with every loss, also with those that are told later", async () => {
    await using server = await startRedis();
    await using made = await start(server.url, "near");
    await hears(made);
    const readAtMs = nowMs();
    await made.redis.commands.flushall();
    await eventually(() => expect(made.node.bus.hearing().sinceMs).toBeGreaterThan(readAtMs));
    await hears(made);
  });
});
