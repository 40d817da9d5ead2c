import { BoundedQueue } from "../../base/bounded-queue.ts";
import type { Delivery } from "../../core/ports/bus.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { encodeDelivery } from "./bus-batch.ts";
import type { RedisClient } from "./connect.ts";
import type { Outbox } from "./outbox.ts";
import type { Peers } from "./peers.ts";
import { pipelined } from "./pipelined.ts";

export const routerLimits = { deliveriesMax: 10_000, usersMax: 100_000, lookupUsersMax: 1_000 } as const;
/** Lookups under way at once: what comes meanwhile is looked up together. */
const lookupsMax = 2;

export interface RouterOptions {
  /** Told of lookups that were not answered; must not throw. */
  readonly onError: (error: unknown) => void;
  /** Runs something at the end of this turn of the event loop. */
  readonly soon: (run: () => void) => void;
}

/** device → node:epoch:connection */
type Registered = Readonly<Record<string, string>>;

/**
 * Finds the processes that hold the connections of the users of a delivery, and puts it into their outboxes. Where nobody
 * is found is not remembered: a device that registers a moment later has to be found by the next delivery. All deliveries
 * of one turn of the event loop are looked up together.
 */
export class Router {
  readonly #redis: RedisClient;
  readonly #peers: Peers;
  readonly #options: RouterOptions;
  readonly #waiting = new BoundedQueue<Delivery>(routerLimits.deliveriesMax);
  #waitingUsers = 0;
  #lookups = 0;
  #isPlanned = false;

  constructor(redis: RedisClient, peers: Peers, options: RouterOptions) {
    this.#redis = redis;
    this.#peers = peers;
    this.#options = options;
  }

  /** Never throws: what cannot be routed is dropped, and every other process sees a number missing. */
  route(delivery: Delivery): void {
    const users = delivery.userIds.length;
    if (users === 0) return;
    const isFull = this.#waitingUsers > 0 && this.#waitingUsers + users > routerLimits.usersMax;
    if (this.#redis.lost() || isFull || !this.#waiting.push(delivery)) return this.#peers.skipAll();
    this.#waitingUsers += users;
    this.#plan();
  }

  /** Deliveries that nobody looks up yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether everything so far was given to the outboxes, or dropped. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#lookups === 0;
  }

  #plan(): void {
    if (this.#isPlanned || this.#lookups >= lookupsMax || this.#waiting.length === 0) return;
    this.#isPlanned = true;
    this.#options.soon(() => {
      this.#isPlanned = false;
      void this.#lookUp();
      this.#plan();
    });
  }

  async #lookUp(): Promise<void> {
    const deliveries = this.#take();
    if (deliveries.length === 0) return;
    this.#lookups++;
    try {
      const registered = await this.#registeredOf(new Set(deliveries.flatMap(({ userIds }) => userIds)));
      for (const delivery of deliveries) this.#post(delivery, registered);
      for (const outbox of this.#peers.all()) outbox.flush();
    } catch (error) {
      for (const _ of deliveries) this.#peers.skipAll();
      this.#options.onError(error);
    } finally {
      this.#lookups--;
      this.#plan();
    }
  }

  /** At least one, so that a delivery to very many is not left over for ever. */
  #take(): readonly Delivery[] {
    const taken: Delivery[] = [];
    let users = 0;
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      users += next.userIds.length;
      if (taken.length > 0 && users > routerLimits.lookupUsersMax) break;
      this.#waitingUsers -= next.userIds.length;
      taken.push(next);
      this.#waiting.shift();
    }
    return taken;
  }

  async #registeredOf(userIds: ReadonlySet<Uuid>): Promise<ReadonlyMap<Uuid, Registered>> {
    const pipeline = this.#redis.commands.pipeline();
    for (const userId of userIds) pipeline.hgetall(this.#redis.keys.connection(userId));
    const answers = await pipelined(pipeline.exec());
    return new Map([...userIds].map((userId, index) => [userId, answers[index] as Registered]));
  }

  #post(delivery: Delivery, registered: ReadonlyMap<Uuid, Registered>): void {
    const { except, frame } = delivery;
    const usersOf = new Map<Outbox, Set<Uuid>>();
    for (const userId of delivery.userIds) {
      for (const [device, owner] of Object.entries(registered.get(userId) ?? {})) {
        if (except?.userId === userId && except.device === Number(device)) continue;
        const outbox = this.#peers.find(owner);
        if (outbox === undefined) continue;
        const users = usersOf.get(outbox);
        if (users === undefined) usersOf.set(outbox, new Set([userId]));
        else users.add(userId);
      }
    }
    if (usersOf.size === 0) return;
    const frameJson = JSON.stringify(frame);
    for (const [outbox, users] of usersOf) outbox.add(encodeDelivery([...users], frameJson, except));
  }
}
