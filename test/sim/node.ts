import type { Core, CorePorts } from "../../src/core/api.ts";
import { createCore } from "../../src/core/create-core.ts";
import { createFanOutWorkers } from "../../src/core/fan-out/create-fan-out-workers.ts";
import type { Delivery, Notice } from "../../src/core/ports/bus.ts";
import type { ClientFrame, ClientFrameType } from "../../src/protocol/frames/client-frames.ts";
import type { FanOutQueue } from "../../src/core/ports/fan-out-queue.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import type { Connection } from "../../src/server/connection/connection.ts";
import { errorFrame } from "../../src/server/connection/error-frame.ts";
import { historyRoute, rangeRoute } from "../../src/server/routes/reading.ts";
import { deliveredRoute, readReceiptRoute, receiptsRoute } from "../../src/server/routes/receipts.ts";
import type { Route, RouteServices } from "../../src/server/routes/route.ts";
import { sendMessageRoute } from "../../src/server/routes/send-message.ts";
import { syncRoute } from "../../src/server/routes/sync.ts";
import type { MemoryFanOutQueue } from "../helpers/core-ports/memory-fan-out-queue.ts";
import type { Mutant } from "./mutants/mutant.ts";
import type { BusNode, Link, SimBus } from "./network.ts";
import { SimConnection } from "./node-connection.ts";
import type { Plan } from "./plan.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Stores } from "./stores.ts";
import type { Witness } from "./witness.ts";

/** The real routes; what they need of a connection is in SimConnection. */
const routes = {
  SEND_MESSAGE: sendMessageRoute,
  DELIVERED: deliveredRoute,
  READ_RECEIPT: readReceiptRoute,
  SYNC: syncRoute,
  RANGE: rangeRoute,
  HISTORY: historyRoute,
  RECEIPTS: receiptsRoute,
} as const;

/** For how long a node may use what it knows of blocks and members without a word from the bus. */
const cacheTtlMs = 1_000;

export interface NodeParts {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly stores: Stores;
  readonly bus: SimBus;
  readonly witness: Witness;
  readonly plan: Plan;
  readonly mutant: Mutant | undefined;
}

/**
 * One server process: the real core and the real routes, with ports that it can be cut off from.
 *
 *   alive ⇄ paused → dead
 *
 * paused: nothing in it moves, while what it asked the stores for still happens; afterwards it goes on with everything
 * that came meanwhile, as a zombie that others took for dead. dead: the same without an afterwards.
 */
export class SimNode implements BusNode {
  readonly name: string;
  readonly core: Core;
  readonly #parts: NodeParts;
  readonly #connections = new Set<SimConnection>();
  #state: "alive" | "paused" | "dead" = "alive";
  #waiting: (() => void)[] = [];
  #pausedAt = 0;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.name = parts.name;
    const { mutant, stores } = parts;
    const given = this.#ports();
    const ports = mutant?.ports?.(given, stores) ?? given;
    const options = { cacheTtlMs, lanesMax: parts.plan.lanesMax, ...mutant?.coreOptions };
    let core = createCore(ports, options);
    const sendingPorts = mutant?.sendingPorts?.(given, stores);
    if (sendingPorts !== undefined) {
      const { delivery, groups } = createCore(sendingPorts, options);
      core = { ...core, delivery, groups };
    }
    this.core = mutant?.core?.(core, stores) ?? core;
    // Failing is allowed: what is left is finished when its group is first used.
    this.core.recover().catch(() => undefined);
    const observe = (outcome: string, _members: number, error: unknown): void => {
      if (outcome === "dropped") parts.witness.blame("core", `a fan-out was dropped: ${String(error)}`);
    };
    void createFanOutWorkers({ ...ports, observe }).start();
  }

  get alive(): boolean {
    return this.#state !== "dead";
  }

  get paused(): boolean {
    return this.#state === "paused";
  }

  /** Everything that makes code of this process run passes here. */
  enter(run: () => void): void {
    if (this.#state === "alive") run();
    else if (this.#state === "paused") this.#waiting.push(run);
  }

  pause(): void {
    if (this.#state !== "alive") return;
    this.#state = "paused";
    this.#pausedAt = this.#parts.scheduler.nowMs;
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "alive";
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) this.enter(run);
    // Its lease ran out: others may have dropped what they had for it.
    if (this.#parts.scheduler.nowMs - this.#pausedAt > cacheTtlMs) this.resync();
  }

  kill(): void {
    if (this.#state === "dead") return;
    this.#state = "dead";
    this.#waiting = [];
    const { scheduler, bus } = this.#parts;
    for (const { link } of this.#connections) {
      link.cut(scheduler.chance(0.8) ? scheduler.between(0, 1_000) : undefined, undefined);
    }
    this.#connections.clear();
    bus.fellSilent();
  }

  /** Asks every device to go elsewhere, as before a planned end. */
  drain(): void {
    const { scheduler } = this.#parts;
    for (const connection of this.#connections) {
      const after_ms = Math.floor(scheduler.between(0, 500));
      connection.send({ type: "RECONNECT", after_ms, reason: "drain" });
    }
  }

  accept(userId: Uuid, device: number, link: Link): void {
    const connection = new SimConnection(this.#parts.scheduler, link, { userId, device }, (gone) =>
      this.#connections.delete(gone),
    );
    this.#connections.add(connection);
    link.onClientFrame = (frame) => this.enter(() => this.#take(connection, frame));
    link.onServerEnd = () => this.enter(() => connection.close(1006));
  }

  /** Forgets connections of a device that has a newer one somewhere. */
  replace(userId: Uuid, device: number, newer: Link): void {
    for (const connection of this.#connections) {
      const { caller, link } = connection;
      if (caller.userId === userId && caller.device === device && link.rank < newer.rank) connection.close(4504);
    }
  }

  hearDelivery(delivery: Delivery): void {
    this.enter(() => {
      const { userIds, except, frame } = delivery;
      for (const connection of this.#connections) {
        const { userId, device } = connection.caller;
        if (connection.state !== "greeted" || !userIds.includes(userId)) continue;
        if (except?.userId !== userId || except.device !== device) connection.send(frame);
      }
    });
  }

  hearNotice(notice: Notice): void {
    if (this.#parts.mutant?.hears?.(notice) !== false) this.enter(() => this.core.hear(notice));
  }

  resync(): void {
    const { scheduler } = this.#parts;
    for (const connection of this.#connections) {
      const frame: ServerFrame = { type: "RESYNC", reason: "gap" };
      scheduler.after(scheduler.between(0, 500), () => this.enter(() => connection.send(frame)));
    }
  }

  /** One operation of a caller that came by HTTP. Never settles when the process dies meanwhile. */
  call<T>(operation: (core: Core) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.enter(() => {
        operation(this.core).then(resolve, reject);
      });
    });
  }

  #take(connection: SimConnection, frame: ClientFrame): void {
    if (connection.state === "closed") return;
    const { scheduler, bus } = this.#parts;
    if (frame.type === "HELLO") {
      connection.state = "greeted";
      connection.send(this.#welcome(connection));
      const { userId, device } = connection.caller;
      for (const node of bus.nodes) {
        scheduler.after(scheduler.between(0, 50), () =>
          node instanceof SimNode ? node.replace(userId, device, connection.link) : undefined,
        );
      }
    } else if (frame.type === "HEARTBEAT") {
      connection.send({ type: "HEARTBEAT_ACK", server_time: 0 });
    } else if (frame.type in routes) {
      this.#route(connection, frame);
    }
  }

  #route(connection: SimConnection, frame: ClientFrame): void {
    const route = routes[frame.type as keyof typeof routes] as unknown as Route<ClientFrameType>;
    const services = { core: this.core } as unknown as RouteServices;
    const request = "request" in frame ? frame.request : undefined;
    const fail = (error: unknown): void => {
      if (!(error instanceof WireError)) this.#parts.witness.blame("core", `${frame.type}: ${String(error)}`);
      const told = error instanceof WireError ? error : new WireError("internal", { undecided: true, cause: error });
      this.#parts.witness.note(
        () => `${this.name}: ${request} of ${connection.caller.userId}: ${told.code} ${String(told.cause)}`,
      );
      if (frame.type === "SEND_MESSAGE" && !told.temporary) this.#parts.witness.refuses(frame.message_id);
      if (told.code === "internal") this.#parts.witness.blame("core", `${frame.type}: ${String(told.cause)}`);
      connection.send(errorFrame(told, request));
    };
    try {
      const answer = route.run(services, connection as unknown as Connection, frame);
      if (!(answer instanceof Promise)) return this.#answer(connection, answer);
      answer.then((reply) => this.#answer(connection, reply), fail);
    } catch (error) {
      fail(error);
    }
  }

  #answer(connection: SimConnection, reply: ServerFrame | undefined): void {
    if (reply === undefined) return;
    if (reply.type === "ACK") {
      this.#parts.witness.note(
        () => `${this.name}: ${reply.request} of ${connection.caller.userId} at seq ${reply.seq}`,
      );
      this.#parts.witness.acks(connection.caller.userId, reply);
    }
    connection.send(reply);
  }

  #welcome({ caller }: SimConnection): ServerFrame {
    return {
      type: "WELCOME",
      node: this.name,
      connection: "",
      user_id: caller.userId,
      device: caller.device,
      server_time: 0,
      heartbeat_ms: limits.heartbeatIntervalMs,
      limits: {},
    };
  }

  #ports(): CorePorts {
    const { stores, bus, scheduler, witness, plan } = this.#parts;
    const skewMs = Math.round(scheduler.between(-plan.skewMs, plan.skewMs));
    const log = this.#gated(stores.log);
    const lists = this.#gated(stores.lists);
    const receipts = this.#gated(stores.receipts);
    return {
      log: watch(log, "append", (request) => witness.appends(request)),
      lists: watch(lists, "write", (writes) => witness.lists(writes)),
      receipts: watch(receipts, "write", (writes) => witness.confirms(writes)),
      groups: this.#gated(stores.groups),
      users: this.#gated(stores.users),
      relations: this.#gated(stores.relations),
      settings: this.#gated(stores.settings),
      media: this.#gated(stores.media),
      fanOut: this.#queue(stores.fanOut),
      bus: bus.portOf(this),
      clock: scheduler.clock(skewMs, (run) => this.enter(run)),
      random: scheduler.random,
    };
  }

  #queue(queue: MemoryFanOutQueue): FanOutQueue {
    const gated = this.#gated(queue);
    return {
      ready: () => gated.ready(),
      enqueue: (jobs) => gated.enqueue(jobs),
      lag: () => gated.lag(),
      consume: (handle) =>
        queue.consumeAs(
          (jobs) => new Promise((resolve, reject) => this.enter(() => void handle(jobs).then(resolve, reject))),
          () => this.#state === "alive",
        ),
    };
  }

  /** The port as this process sees it: an answer arrives only while the process runs. */
  #gated<P extends object>(port: P): P {
    const methods = new Map<string | symbol, unknown>();
    return new Proxy(port, {
      get: (target, key): unknown => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        let method = methods.get(key);
        if (method === undefined) {
          const call = value as (...args: unknown[]) => Promise<unknown>;
          method = (...args: unknown[]) => this.#answered(String(key), call.apply(target, args));
          methods.set(key, method);
        }
        return method;
      },
    });
  }

  #answered<T>(name: string, answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => {
          this.#parts.scheduler.mark(name, 1);
          this.enter(() => resolve(value));
        },
        (error: unknown) => this.enter(() => reject(error)),
      );
    });
  }
}

/** The port with somebody looking at the calls of one of its methods. */
function watch<P extends object, K extends keyof P>(
  port: P,
  method: K,
  look: P[K] extends (argument: infer A) => unknown ? (argument: A) => void : never,
): P {
  const call = port[method] as (argument: unknown) => unknown;
  const seen = (argument: unknown): unknown => {
    (look as (argument: unknown) => void)(argument);
    return call(argument);
  };
  return new Proxy(port, { get: (target, key): unknown => (key === method ? seen : Reflect.get(target, key)) });
}
