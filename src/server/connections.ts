import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { ClientFrame } from "../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../protocol/frames/server-frames.ts";
import type { CloseReason } from "../protocol/close-codes.ts";
import type { WireError } from "../protocol/wire-errors.ts";
import type { Uuid } from "../protocol/ids.ts";
import type { Delivery, Notice } from "../core/ports/bus.ts";
import { createFailureLog, kindOf, type ReportFailure } from "../base/failure-log.ts";
import { randomBelow } from "../base/random.ts";
import type { TokenHolder } from "./accounts/account-types.ts";
import { Connection, type ConnectionHost } from "./connection/connection.ts";
import { ConnectionSweep } from "./connection/connection-sweep.ts";
import { FlushRound } from "./connection/flush-round.ts";
import type { ServerContext } from "./context-types.ts";
import { Hub } from "./hub.ts";
import type { Queues } from "./metrics.ts";
import { PresenceWatch } from "./presence-watch.ts";
import { Registrations } from "./registrations.ts";
import { Dispatcher } from "./routes/dispatcher.ts";
import { SessionGuard } from "./session-guard.ts";

/**
 * The WebSockets of this process: makes a Connection of each accepted one and ties it to the hub (who gets what), the
 * sweep (time), the guard (sessions), presence, and the dispatcher (what its frames do).
 */
export class Connections implements ConnectionHost {
  readonly round = new FlushRound();
  readonly hub = new Hub<Connection>();
  readonly #context: ServerContext;
  readonly #sweep: ConnectionSweep;
  readonly #guard: SessionGuard;
  readonly #watch: PresenceWatch;
  readonly #registrations: Registrations | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #frameFailed: ReportFailure;
  #opened = 0;
  #stopped = false;
  #onEmpty: (() => void) | undefined;

  constructor(context: ServerContext) {
    const { clock, core, log, presence, sessions } = context;
    const background = createFailureLog(clock, (fields) => log.error(fields, "Background work failed"));
    const onError = (error: unknown): void => background(kindOf(error), () => ({ err: error }));
    this.#frameFailed = createFailureLog(clock, (fields) => log.error(fields, "A frame failed"));
    this.#context = context;
    context.metrics.observe({
      connections: () => this.size,
      greeted: () => this.hub.size,
      fanOutLag: () => context.ports.fanOut.lag(),
      queues: () => this.#queues(),
    });
    const { interest } = context;
    this.#watch = new PresenceWatch({ presence, interest, people: core.people, clock, onError });
    this.#guard = new SessionGuard(sessions, onError);
    this.#sweep = new ConnectionSweep(clock, {
      onSilent: (connection) => this.#watch.leave(connection),
      checkSessions: (connections) => void this.#guard.check(connections),
    });
    this.#registrations = this.#createRegistrations(onError);
    this.#dispatcher = new Dispatcher(
      {
        nodeId: context.nodeId,
        core,
        lists: context.ports.lists,
        bus: context.ports.bus,
        presence,
        typing: context.typing,
        rateLimits: context.rateLimits,
        clock,
        hub: this.hub,
        watch: this.#watch,
        registrations: this.#registrations,
        rules: () => context.rules,
      },
      {
        onError: (connection, type, error, cause) => this.#onError(connection, type, error, cause),
        onAnswered: (type, ms) => context.metrics.answered(type, ms),
      },
    );
  }

  /** Connections in any state but closed. */
  get size(): number {
    return this.#sweep.size;
  }

  start(): void {
    this.#sweep.start();
    this.#tick();
  }

  open(ws: WebSocket, socket: Duplex, holder: TokenHolder): void {
    const { userId, device, familyId } = holder;
    const ordinal = ++this.#opened;
    const id = `${this.#context.nodeId}.${ordinal.toString(36)}`;
    this.#sweep.add(new Connection(this, ws, socket, { id, ordinal, caller: { userId, device }, familyId }));
  }

  /** From the bus. */
  deliver(delivery: Delivery): void {
    const { frame } = delivery;
    if (frame.type === "NEW_MESSAGE") this.#context.core.heardMessage(frame.conversation_id, frame.seq);
    this.hub.deliver(delivery);
  }

  /** From the bus. */
  notice(notice: Notice): void {
    this.#context.core.hear(notice);
    if (notice.notice === "blocks_changed") this.#watch.heard([notice.ownerId, notice.otherId]);
    if (notice.notice !== "sessions_revoked") return;
    const touched = this.hub.of(notice.userId).filter(({ caller }) => notice.devices.includes(caller.device));
    if (touched.length > 0) void this.#guard.check([...touched]);
  }

  /** A user changed who may see when they are online. */
  presenceChanged(userId: Uuid): void {
    this.#watch.changed(userId);
  }

  /**
   * Asks every client to leave at a moment of its own within `spreadMs`, closes those that did not, and resolves when no
   * connection is left, or those that are had their time.
   */
  async drain(spreadMs: number): Promise<void> {
    const { clock, random } = this.#context;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      if (this.size === 0) resolve();
    });
    for (const connection of Array.from(this.#sweep.all())) {
      const afterMs = spreadMs === 0 ? 0 : randomBelow(random, spreadMs);
      connection.send({ type: "RECONNECT", after_ms: afterMs, reason: "drain" });
      clock.schedule(afterMs, () => connection.drain());
    }
    const patience = new Promise<void>((resolve) => clock.schedule(spreadMs + drainPatienceMs, resolve));
    await Promise.race([empty, patience]);
  }

  destroy(): void {
    this.#sweep.stop();
    this.#stopped = true;
    this.#registrations?.stop();
    for (const connection of Array.from(this.#sweep.all())) connection.terminate();
  }

  nowMs(): number {
    return Math.trunc(this.#context.clock.monotonicMs());
  }

  onFrame(connection: Connection, frame: ClientFrame): void {
    this.#context.metrics.frameIn(frame.type);
    this.#dispatcher.dispatch(connection, frame);
  }

  onWrongFrame(connection: Connection, error: WireError, request: string | undefined): void {
    this.#dispatcher.refuse(connection, error, request);
  }

  onLeaving(connection: Connection, wasGreeted: boolean): void {
    this.hub.remove(connection);
    this.#watch.forget(connection);
    if (wasGreeted) this.#registrations?.forget(connection);
  }

  onClosed(connection: Connection): void {
    this.#sweep.remove(connection);
    if (this.size === 0) this.#onEmpty?.();
  }

  onFrameOut(type: ServerFrame["type"], bytes: number): void {
    this.#context.metrics.frameOut(type, bytes);
  }

  onCloseSent(reason: CloseReason): void {
    this.#context.metrics.closeSent(reason);
  }

  #queues(): Queues {
    const stores = this.#context.queues();
    let [frames, clientBytes] = [0, 0];
    for (const connection of this.#sweep.all()) {
      frames += connection.inFlight;
      clientBytes += connection.queueBytes;
    }
    return { entries: { frames, ...stores.entries }, bytes: { clients: clientBytes, ...stores.bytes } };
  }

  #createRegistrations(onError: (error: unknown) => void): Registrations | undefined {
    const { registry, clock, random } = this.#context;
    if (registry === undefined) return undefined;
    const connections = () => Array.from(this.#sweep.all()).filter(({ state }) => state === "greeted");
    const of = (userId: Uuid) => this.hub.of(userId);
    return new Registrations({ registry, connections, of, clock, random, onError });
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#watch.tick();
    this.#context.clock.schedule(1_000, () => this.#tick());
  }

  #onError(connection: Connection, type: string | undefined, error: WireError, cause: unknown): void {
    this.#context.metrics.error(error.code);
    if (error.code !== "internal" && cause === undefined) return;
    const { id, caller } = connection;
    const fields = { connection: id, user: caller.userId, frame: type, code: error.code, err: cause ?? error };
    this.#frameFailed(`${error.code} ${kindOf(fields.err)}`, () => fields);
  }
}

/** What connections get beyond the spread to finish what is in flight and to close. */
const drainPatienceMs = 3_000;
