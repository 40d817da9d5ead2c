import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/base/clock.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { connectRedis, type RedisClient, type RedisSettings } from "../../src/stores/redis/connect.ts";
import { startRedisNode, type RedisNode, type RedisNodeOptions } from "../../src/stores/redis/redis-node.ts";
import type { Delivery, Notice } from "../../src/core/ports/bus.ts";
import { systemSettings } from "./redis-client.ts";

/** A server process, as far as Redis is concerned, with connections of its own. */
export interface TestNode extends AsyncDisposable {
  readonly redis: RedisClient;
  readonly node: RedisNode;
  readonly deliveries: Delivery[];
  readonly notices: Notice[];
  /** Reasons of losses, in order. */
  readonly losses: string[];
  readonly errors: unknown[];
}

export async function startTestNode(
  settings: Partial<RedisSettings> & Pick<RedisSettings, "url" | "keyPrefix">,
  options: Partial<RedisNodeOptions> = {},
): Promise<TestNode> {
  const redis = await connectRedis({ timeoutMs: 2_000, ...settings });
  const errors: unknown[] = [];
  const node = await startRedisNode(redis, {
    nodeId: `node-${randomBytes(4).toString("hex")}`,
    presenceMode: "literal",
    clock: systemClock,
    random: createSystemRandom(),
    onError: (error) => errors.push(error),
    ...options,
  }).catch((error: unknown) => {
    redis.close();
    throw error;
  });
  const made: TestNode = {
    redis,
    node,
    deliveries: [],
    notices: [],
    losses: [],
    errors,
    async [Symbol.asyncDispose]() {
      await node.stop();
      redis.close();
    },
  };
  node.registry.onLost((reason) => made.losses.push(reason));
  return made;
}

/** Makes the node keep what it is handed; a bus has one receiver. */
export function receive(made: TestNode): TestNode {
  made.node.bus.subscribe({
    deliver: (delivery) => void made.deliveries.push(delivery),
    notice: (notice) => void made.notices.push(notice),
  });
  return made;
}

/** Two processes on the Redis of the run, under a key prefix that is emptied at the end. */
export async function startTestNodes(
  options: Partial<RedisNodeOptions> = {},
): Promise<{ readonly near: TestNode; readonly far: TestNode } & AsyncDisposable> {
  const { settings, clean } = systemSettings();
  const near = await startTestNode(settings, { ...options, nodeId: "near" });
  const far = await startTestNode(settings, { ...options, nodeId: "far" });
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      await far[Symbol.asyncDispose]();
      // Whoever still pulsed would write again what was taken back.
      await near.node.stop();
      await clean(near.redis);
      await near[Symbol.asyncDispose]();
    },
  };
}
