import { expect, test } from "vitest";
import { createUuidV7 } from "../../../src/protocol/ids.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { createSystemRandom } from "../../../src/base/random.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { eventually } from "../../helpers/eventually.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { startTestNodes } from "../../helpers/redis-nodes.ts";

const newId = () => createUuidV7(1_700_000_000_000, createSystemRandom());
const nowMs = () => systemClock.nowMs();

describeOn(["redis"], "presence held by a lease, on a Redis that forgets", () => {
  test("who came after what Redis remembers is online again with the next heartbeat", async () => {
    await using nodes = await startTestNodes({ presenceMode: "lease", timing: { lossPauseMs: 1 } });
    const { near, far } = nodes;
    const user = newId();
    const online = async () => (await far.node.presence.lookup([user], nowMs()))[0]?.online;
    await near.node.presence.beat(user, 1, "c1", nowMs());
    expect(await online()).toBe(true);
    // Back with an older memory: the lease stands in it, the user does not.
    await near.redis.commands.del(near.redis.keys.presence(user));
    near.redis.subscriber.disconnect(true);
    await eventually(() => expect(near.losses).not.toEqual([]));
    expect(await online()).toBe(false);
    await near.node.presence.beat(user, 1, "c1", nowMs());
    expect(await online()).toBe(true);
  });

  test("a device that is elsewhere by now does not keep another one online that fell silent", async () => {
    await using nodes = await startTestNodes({ presenceMode: "lease" });
    const { near, far } = nodes;
    const user = newId();
    await near.node.presence.beat(user, 1, "moved", nowMs());
    await near.node.presence.beat(user, 2, "silent", nowMs());
    await far.node.presence.beat(user, 1, "elsewhere", nowMs());
    await near.node.presence.leave(user, 1, "moved", nowMs() + 2 * limits.presenceTtlMs);
    expect((await far.node.presence.lookup([user], nowMs()))[0]?.online).toBe(true);
    await far.node.presence.leave(user, 1, "elsewhere", nowMs());
    expect((await far.node.presence.lookup([user], nowMs()))[0]?.online).toBe(false);
  });

  test("an earlier connection whose end was not written does not outlive the one that followed it", async () => {
    await using nodes = await startTestNodes({ presenceMode: "lease" });
    const { near, far } = nodes;
    const user = newId();
    const { commands, keys } = near.redis;
    const online = async () => (await far.node.presence.lookup([user], nowMs()))[0]?.online;
    await near.node.presence.beat(user, 1, "former", nowMs());
    const former = (await commands.hget(keys.presence(user), "1")) ?? "";
    await near.node.presence.beat(user, 1, "latter", nowMs());
    // As if neither the end of the one nor the beginning of the other had reached Redis.
    await commands.hset(keys.presence(user), "1", former);
    await near.node.presence.leave(user, 1, "latter", nowMs());
    expect(await online()).toBe(false);
    // Also when it falls silent together with another device.
    await near.node.presence.beat(user, 1, "latter", nowMs());
    await near.node.presence.beat(user, 2, "other", nowMs());
    await commands.hset(keys.presence(user), "1", former);
    await near.node.presence.leave(user, 2, "other", nowMs() + 2 * limits.presenceTtlMs);
    expect(await online()).toBe(false);
    // One of another process is left alone.
    await near.node.presence.beat(user, 1, "latter", nowMs());
    await far.node.presence.beat(user, 1, "elsewhere", nowMs());
    await near.node.presence.leave(user, 1, "latter", nowMs());
    expect(await online()).toBe(true);
  });
});
