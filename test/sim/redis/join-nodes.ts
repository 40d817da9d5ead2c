import type { Clock } from "../../../src/base/clock.ts";
import type { Random } from "../../../src/base/random.ts";
import type { Presence, PresenceInterest } from "../../../src/core/ports/presence.ts";
import { RedisBus } from "../../../src/stores/redis/bus.ts";
import type { RedisClient } from "../../../src/stores/redis/connect.ts";
import { NodeLease } from "../../../src/stores/redis/lease.ts";
import { Losses } from "../../../src/stores/redis/losses.ts";
import { createRedisPresence, type PresenceMode } from "../../../src/stores/redis/presence.ts";
import { RedisPresenceInterest } from "../../../src/stores/redis/presence-interest.ts";
import { Pulse } from "../../../src/stores/redis/pulse.ts";
import { RedisConnectionRegistry } from "../../../src/stores/redis/registry.ts";

export interface JoinOptions {
  readonly nodeId: string;
  readonly mode: PresenceMode;
  readonly clock: Clock;
  readonly random: Random;
  readonly onError: (error: unknown) => void;
  readonly soon: (run: () => void) => void;
}

/** A process among the others. */
export interface Membership {
  readonly bus: RedisBus;
  readonly registry: RedisConnectionRegistry;
  readonly lease: NodeLease;
  readonly presence: Presence;
  readonly interest: PresenceInterest;
  stop(): Promise<void>;
}

/** As startRedisNode of src/stores/redis puts it together; presence in lease mode only, since the other opens sockets of its own. */
export async function joinNodes(redis: RedisClient, options: JoinOptions): Promise<Membership> {
  const { clock, onError, soon } = options;
  const losses = new Losses(clock);
  const lease = new NodeLease(redis, options);
  const bus = new RedisBus(redis, lease, {
    clock,
    losses,
    onDisplaced: (userId, device, connection) => registry.displaced(userId, device, connection),
    onPresence: (userIds) => interest.told(userIds),
    onError,
    soon,
  });
  const registry = new RedisConnectionRegistry(redis, lease, {
    mode: options.mode,
    clock,
    losses,
    isListening: () => bus.isListening,
    isSameMemory: () => pulse.isSameMemory(),
    onReplaced: (owner, userId, device) => bus.displace(owner, userId, device),
  });
  const pulse = new Pulse(redis, { lease, bus, losses, clock, onError });
  const presence = createRedisPresence(redis, lease, { mode: "lease", clock, losses, onError });
  const interest = new RedisPresenceInterest(redis, lease, {
    clock,
    losses,
    send: (claim, userIds) => bus.tellPresence(claim, userIds),
    onError,
    soon,
  });
  await lease.start();
  await bus.start();
  await pulse.start();
  await presence.start();
  return {
    bus,
    registry,
    lease,
    presence,
    interest,
    async stop() {
      presence.stop();
      await pulse.stop();
      await bus.stop();
      await lease.stop();
    },
  };
}
