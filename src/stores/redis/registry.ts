import type { Clock } from "../../base/clock.ts";
import type { ConnectionRegistry, Refreshed } from "../../core/ports/connection-registry.ts";
import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { RedisClient } from "./connect.ts";
import { answered } from "./errors.ts";
import { assertClaims, type NodeLease } from "./lease.ts";
import type { Losses } from "./losses.ts";
import { parseClaim } from "./peers.ts";
import type { PresenceMode } from "./presence.ts";
import { scripts } from "./scripts.ts";

export interface RegistryOptions {
  /** literal: each refresh is a write. lease: the lease stands for the connections, refreshes are written every five minutes. */
  readonly mode: PresenceMode;
  readonly clock: Clock;
  readonly losses: Losses;
  /** Whether this process hears now what others send it. */
  readonly isListening: () => boolean;
  /** Whether Redis still has the memory that this process knows. Rejects with WireError when it does not answer. */
  readonly isSameMemory: () => Promise<boolean>;
  /** `owner`, node:epoch:connection, had the device until now: its process is to hear `displaced` of it. */
  readonly onReplaced: (owner: string, userId: Uuid, device: number) => void;
}

/** In lease mode a registration outlives its process by this; readers go by the lease. */
const leasedTtlMs = 900_000;
const leasedRefreshEveryMs = 300_000;

interface Written {
  readonly connection: string;
  readonly claim: string;
  readonly atMs: number;
}

/**
 * Which process holds which connection: connection:{u}, HASH device → node:epoch:connection.
 *
 * A registration counts under the lease of its process. Nothing is registered while this process cannot hear: the promise
 * is that whatever is sent from then on arrives.
 */
export class RedisConnectionRegistry implements ConnectionRegistry {
  readonly #redis: RedisClient;
  readonly #lease: NodeLease;
  readonly #options: RegistryOptions;
  readonly #ttlMs: number;
  readonly #refreshEveryMs: number;
  /** Lease mode: what was written when; one for each connection of this process. */
  readonly #written = new Map<string, Written>();
  /** How often this process heard that a connection of it may have been replaced. */
  #doubts = 0;
  #onDisplaced: (userId: Uuid, connection: string) => void = () => {};

  constructor(redis: RedisClient, lease: NodeLease, options: RegistryOptions) {
    const isLeased = options.mode === "lease";
    this.#redis = redis;
    this.#lease = lease;
    this.#options = options;
    this.#ttlMs = isLeased ? leasedTtlMs : limits.connectionTtlMs;
    this.#refreshEveryMs = isLeased ? leasedRefreshEveryMs : 0;
    // Whoever hears of a loss refreshes everything, and must reach Redis with it.
    options.losses.onLost(() => this.#written.clear());
  }

  async register(userId: Uuid, device: number, connection: string, instead = ""): Promise<string | undefined> {
    assertClaims(this.#lease);
    if (!this.#options.isListening()) {
      throw new WireError("store_unavailable", { detail: "This process does not hear the others now." });
    }
    const { claim } = this.#lease;
    const doubts = this.#doubts;
    const take = async (over: string): Promise<readonly [taken: number, other: string]> => {
      const args = [device, `${claim}:${connection}`, this.#ttlMs, over];
      const answer = await this.#redis.run(scripts.connectionRegister, [this.#redis.keys.connection(userId)], args);
      return answer as [number, string];
    };
    let [taken, other] = await take(instead);
    // What a dead process left behind protects nobody. Whoever comes between is seen by the comparison.
    if (taken === 0 && !(await this.#isLive(other))) [taken, other] = await take(other);
    if (taken === 0) return other;
    this.#note(userId, device, connection, claim, doubts);
    if (other !== "") this.#options.onReplaced(other, userId, device);
    return undefined;
  }

  async refresh(userId: Uuid, device: number, connection: string): Promise<Refreshed> {
    if (this.#lease.failure !== undefined) return "unsettled";
    const { claim } = this.#lease;
    const known = this.#written.get(`${userId}/${device}`);
    const isFresh =
      known?.connection === connection &&
      known.claim === claim &&
      this.#options.clock.monotonicMs() - known.atMs < this.#refreshEveryMs;
    if (isFresh) return "held";
    const doubts = this.#doubts;
    const held = await this.#redis.run(
      scripts.connectionRefresh,
      [this.#redis.keys.connection(userId)],
      [device, `${claim}:${connection}`, this.#ttlMs],
    );
    if (held !== 1) return (await this.#isSettled()) ? "replaced" : "unsettled";
    this.#note(userId, device, connection, claim, doubts);
    return "held";
  }

  async forget(userId: Uuid, device: number, connection: string): Promise<void> {
    const id = `${userId}/${device}`;
    if (this.#written.get(id)?.connection === connection) this.#written.delete(id);
    await this.#redis.run(
      scripts.connectionForget,
      [this.#redis.keys.connection(userId)],
      [device, `${this.#lease.claim}:${connection}`],
    );
  }

  /** Another process registered the device: Redis is asked what has become of this connection. */
  displaced(userId: Uuid, device: number, connection: string): void {
    this.#doubts++;
    if (this.#written.get(`${userId}/${device}`)?.connection === connection)
      this.#written.delete(`${userId}/${device}`);
    this.#onDisplaced(userId, connection);
  }

  onLost(handler: (reason: string) => void): void {
    this.#options.losses.onLost(handler);
  }

  onDisplaced(handler: (userId: Uuid, connection: string) => void): void {
    this.#onDisplaced = handler;
  }

  async #isLive(owner: string): Promise<boolean> {
    const { node, epoch } = parseClaim(owner);
    return (await answered(this.#redis.commands.get(this.#redis.keys.node(node)))) === epoch;
  }

  /** Whether what Redis says of others can be believed: no loss is known that was not mended yet, and none to come. */
  async #isSettled(): Promise<boolean> {
    const { isListening, losses, isSameMemory } = this.#options;
    return isListening() && !losses.isWaiting && (await isSameMemory());
  }

  /** `doubts`: how many there were when it was asked. What came since may be of this answer. */
  #note(userId: Uuid, device: number, connection: string, claim: string, doubts: number): void {
    if (this.#refreshEveryMs === 0 || doubts !== this.#doubts) return;
    this.#written.set(`${userId}/${device}`, { connection, claim, atMs: this.#options.clock.monotonicMs() });
  }
}
