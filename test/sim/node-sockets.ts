import type { Core } from "../../src/core/api.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { ConnectionRegistry } from "../../src/core/ports/connection-registry.ts";
import type { Delivery, Notice } from "../../src/core/ports/bus.ts";
import type { Presence, PresenceInterest } from "../../src/core/ports/presence.ts";
import type { RateLimits } from "../../src/core/ports/rate-limits.ts";
import type { ClientFrame } from "../../src/protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { WireError } from "../../src/protocol/wire-errors.ts";
import type { Connection } from "../../src/server/connection/connection.ts";
import { Hub } from "../../src/server/hub.ts";
import { PresenceWatch } from "../../src/server/presence-watch.ts";
import { ratePresets, type RateRules } from "../../src/server/rate-rules.ts";
import { Registrations } from "../../src/server/registrations.ts";
import { Dispatcher } from "../../src/server/routes/dispatcher.ts";
import type { RouteServices } from "../../src/server/routes/route.ts";
import type { Link } from "./network.ts";
import { SimConnection, type SimConnectionHost } from "./node-connection.ts";
import type { Process } from "./node-ports.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Witness } from "./witness.ts";

export interface SocketsParts {
  readonly nodeId: string;
  readonly process: Process;
  readonly scheduler: Scheduler;
  readonly witness: Witness;
  readonly clock: Clock;
  readonly core: Core;
  readonly registry: ConnectionRegistry;
  readonly presence: Presence;
  readonly interest: PresenceInterest;
  readonly rateLimits: RateLimits;
  readonly rules: Partial<RateRules>;
}

const sweepEveryMs = 1_000;

/**
 * The connections of one process: the real dispatcher with the real routes, the real hub, registrations and presence watch,
 * tied together as server/connections.ts does it. Sessions are left out.
 */
export class NodeSockets implements SimConnectionHost {
  readonly scheduler: Scheduler;
  readonly #parts: SocketsParts;
  readonly #connections = new Set<SimConnection>();
  readonly #hub = new Hub<Connection>();
  readonly #registrations: Registrations;
  readonly #watch: PresenceWatch;
  readonly #dispatcher: Dispatcher;
  /** Sends that are being answered, by request. */
  readonly #sends = new Map<string, Uuid>();
  #opened = 0;
  #stopped = false;

  constructor(parts: SocketsParts) {
    const { scheduler, clock, registry, presence, interest, core, witness } = parts;
    this.#parts = parts;
    this.scheduler = scheduler;
    const onError = (error: unknown): void => witness.note(() => `${parts.nodeId}: ${String(error)}`);
    this.#watch = new PresenceWatch({ presence, interest, people: core.people, clock, onError });
    this.#registrations = new Registrations({
      registry,
      connections: () => Array.from(this.#connections).filter(({ state }) => state === "greeted"),
      of: (userId) => this.#hub.of(userId),
      clock,
      random: scheduler.random,
      onError,
    });
    this.#dispatcher = new Dispatcher(this.#services(), {
      onError: (connection, type, error, cause) => {
        witness.note(
          () => `${parts.nodeId}: ${type} of ${connection.caller.userId}: ${error.code} ${String(error.cause)}`,
        );
        if (error.code === "internal") witness.blame("core", `${type}: ${String(cause)}`);
      },
      onAnswered: () => undefined,
    });
    this.#sweep();
  }

  get size(): number {
    return this.#connections.size;
  }

  accept(userId: Uuid, device: number, link: Link): void {
    const { nodeId, process } = this.#parts;
    const ordinal = ++this.#opened;
    const id = `${nodeId}.${ordinal.toString(36)}`;
    const connection = new SimConnection(this, link, { id, ordinal, caller: { userId, device } });
    this.#connections.add(connection);
    link.onClientFrame = (frame) => process.enter(() => this.#take(connection, frame));
    link.onPong = () => process.enter(() => connection.answered());
    link.onServerEnd = () => process.enter(() => connection.ended());
  }

  deliver({ userIds, except, frame }: Delivery): void {
    for (const userId of userIds) {
      for (const connection of Array.from(this.#hub.of(userId))) {
        if (except?.userId !== userId || except.device !== connection.caller.device) connection.send(frame);
      }
    }
  }

  notice(notice: Notice): void {
    if (notice.notice === "blocks_changed") this.#watch.heard([notice.ownerId, notice.otherId]);
  }

  /** Asks every device to go elsewhere, each at a moment of its own; `ends`: and closes what has not gone by then. */
  drain(spreadMs: number, ends: boolean): void {
    const { scheduler, process } = this.#parts;
    for (const connection of Array.from(this.#connections)) {
      const after_ms = Math.floor(scheduler.between(0, spreadMs));
      connection.send({ type: "RECONNECT", after_ms, reason: "drain" });
      if (ends) scheduler.after(after_ms, () => process.enter(() => connection.drain()));
    }
  }

  /** The process is gone: its sockets end, and each client hears of it at a time of its own or never. */
  destroy(): void {
    this.#stopped = true;
    this.#registrations.stop();
    for (const { link } of this.#connections) {
      link.cut(this.scheduler.chance(0.8) ? this.scheduler.between(0, 1_000) : undefined, undefined);
    }
    this.#connections.clear();
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.clock.schedule(ms, resolve);
    });
  }

  onFrameOut({ caller }: SimConnection, frame: ServerFrame): void {
    if (frame.type !== "ACK") return;
    const { witness, nodeId } = this.#parts;
    witness.note(() => `${nodeId}: ${frame.request} of ${caller.userId} at seq ${frame.seq}`);
    witness.acks(caller.userId, frame);
  }

  onRefused({ id }: SimConnection, error: WireError, request: string | undefined): void {
    const messageId = this.#sends.get(`${id} ${request}`);
    if (messageId !== undefined && !error.temporary) this.#parts.witness.refuses(messageId);
  }

  onLeaving(connection: SimConnection, wasGreeted: boolean): void {
    this.#hub.remove(asConnection(connection));
    this.#watch.forget(asConnection(connection));
    if (wasGreeted) this.#registrations.forget(connection);
  }

  onClosed(connection: SimConnection): void {
    this.#connections.delete(connection);
  }

  #take(connection: SimConnection, frame: ClientFrame): void {
    if (connection.state !== "opening" && connection.state !== "greeted") return;
    connection.heardAtMs = this.scheduler.nowMs;
    if (frame.type === "SEND_MESSAGE") this.#sends.set(`${connection.id} ${frame.request}`, frame.message_id);
    this.#dispatcher.dispatch(asConnection(connection), frame);
  }

  #sweep(): void {
    this.#parts.clock.schedule(sweepEveryMs, () => {
      if (this.#stopped) return;
      this.#sweep();
      this.#watch.tick();
      const now = this.scheduler.nowMs;
      for (const connection of Array.from(this.#connections)) {
        if (connection.state === "opening" && now - connection.openedAtMs > limits.helloTimeoutMs) {
          connection.close("hello_timeout");
          continue;
        }
        if (connection.present && now - connection.beatAtMs > limits.presenceTtlMs) {
          this.#watch.leave(asConnection(connection));
        }
        if (now - connection.heardAtMs > limits.silenceTimeoutMs) connection.close("silent");
      }
    });
  }

  #services(): RouteServices {
    const { core, clock, nodeId, rateLimits } = this.#parts;
    const rules = { ...ratePresets.off, ...this.#parts.rules };
    const services: Partial<RouteServices> = {
      nodeId,
      core,
      clock,
      hub: this.#hub,
      registrations: this.#registrations,
      watch: this.#watch,
      rateLimits,
      rules: () => rules,
    };
    return services as RouteServices;
  }
}

/** What the server asks of a connection here, SimConnection has. */
function asConnection(connection: SimConnection): Connection {
  return connection as unknown as Connection;
}
