import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { StoreError } from "../../base/store-error.ts";
import type { Bus } from "../../core/ports/bus.ts";
import type { ConnectionRegistry } from "../../core/ports/connection-registry.ts";
import type { Presence, PresenceInterest } from "../../core/ports/presence.ts";
import { RedisBus } from "./bus.ts";
import type { RedisClient } from "./connect.ts";
import { toStoreError } from "./errors.ts";
import { NodeLease } from "./lease.ts";
import { Losses } from "./losses.ts";
import { RedisPresenceInterest } from "./presence-interest.ts";
import { createRedisPresence, type PresenceMode } from "./presence.ts";
import { Pulse } from "./pulse.ts";
import { RedisConnectionRegistry } from "./registry.ts";

export interface RedisNodeOptions {
  /** Name of this server process; no two may have one at the same time. */
  readonly nodeId: string;
  readonly presenceMode: PresenceMode;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of what failed in the background; must not throw. */
  readonly onError: (error: unknown) => void;
  /** Tests shorten them, in ms. */
  readonly timing?: { readonly leaseTtlMs?: number; readonly renewEveryMs?: number; readonly lossPauseMs?: number };
}

/** What a server process is among the others: its lease, where its connections are known, and its way to the others. */
export interface RedisNode {
  readonly registry: ConnectionRegistry;
  readonly bus: Bus;
  readonly presence: Presence;
  readonly interest: PresenceInterest;
  /** Whether this process hears the others now; while it does not, no connection can be registered. */
  isListening(): boolean;
  /** Deliveries and notices that were not sent. */
  dropped(): number;
  /** What waits to be sent to other processes. */
  waiting(): { readonly entries: number; readonly bytes: number };
  /** Why this process may claim nothing any more: another one has its name. */
  failure(): StoreError | undefined;
  /** Tells the others that this process ends, and gives its lease back. Idempotent; never rejects. Connections are forgotten before. */
  stop(): Promise<void>;
}

/**
 * Joins the other server processes. Resolves when this one hears them and they know of it; subscribe to the bus and to the
 * registry's losses before the first connection. Rejects with StoreError (unreachable, or the name is taken).
 */
export async function startRedisNode(redis: RedisClient, options: RedisNodeOptions): Promise<RedisNode> {
  const { clock, onError, timing } = options;
  const losses = new Losses(clock, timing?.lossPauseMs);
  const lease = new NodeLease(redis, { ...options, ...timing });
  const bus = new RedisBus(redis, lease, {
    clock,
    losses,
    onDisplaced: (userId, device, connection) => registry.displaced(userId, device, connection),
    onPresence: (userIds) => interest.told(userIds),
    onError,
  });
  const registry = new RedisConnectionRegistry(redis, lease, {
    mode: options.presenceMode,
    clock,
    losses,
    isListening: () => bus.isListening,
    isSameMemory: () => pulse.isSameMemory(),
    onReplaced: (owner, userId, device) => bus.displace(owner, userId, device),
  });
  const pulse = new Pulse(redis, { lease, bus, losses, clock, onError });
  const presence = createRedisPresence(redis, lease, { mode: options.presenceMode, clock, losses, onError });
  const interest = new RedisPresenceInterest(redis, lease, {
    clock,
    losses,
    send: (claim, userIds) => bus.tellPresence(claim, userIds),
    onError,
    soon: setImmediate,
  });
  const stop = async (): Promise<void> => {
    presence.stop();
    await pulse.stop();
    await bus.stop();
    await lease.stop();
  };
  try {
    await lease.start();
    await bus.start();
    await pulse.start();
    await presence.start();
  } catch (error) {
    await stop();
    throw toStoreError(error, redis.address.text);
  }
  return {
    registry,
    bus,
    presence,
    interest,
    isListening: () => bus.isListening,
    dropped: () => bus.dropped,
    waiting: () => bus.waiting,
    failure: () => lease.failure,
    stop,
  };
}
