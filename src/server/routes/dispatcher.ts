import type { ClientFrame, ClientFrameType } from "../../protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../protocol/frames/server-frames.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { RateRule } from "../../core/ports/rate-limits.ts";
import type { Connection } from "../connection/connection.ts";
import { memoryOf } from "../connection/connection-memory.ts";
import { helloRoute } from "./hello.ts";
import { heartbeatRoute, unwatchRoute, watchRoute } from "./presence.ts";
import { historyRoute, rangeRoute } from "./reading.ts";
import { deliveredRoute, readReceiptRoute, receiptsRoute } from "./receipts.ts";
import type { Route, RouteServices } from "./route.ts";
import { sendMessageRoute } from "./send-message.ts";
import { syncRoute } from "./sync.ts";
import { typingRoute } from "./typing.ts";

/** Every frame a client may send, and who answers it. */
export const routes: { readonly [T in ClientFrameType]: Route<T> } = {
  HELLO: helloRoute,
  SEND_MESSAGE: sendMessageRoute,
  DELIVERED: deliveredRoute,
  READ_RECEIPT: readReceiptRoute,
  SYNC: syncRoute,
  RANGE: rangeRoute,
  HISTORY: historyRoute,
  RECEIPTS: receiptsRoute,
  HEARTBEAT: heartbeatRoute,
  TYPING: typingRoute,
  WATCH: watchRoute,
  UNWATCH: unwatchRoute,
};

export interface DispatchObserver {
  /** An error was answered. `error` is the WireError told to the client; `cause` is there if it was not one to begin with. */
  onError(connection: Connection, type: ClientFrameType | undefined, error: WireError, cause: unknown): void;
  /** A frame was answered `ms` after it arrived. */
  onAnswered(type: ClientFrameType, ms: number): void;
}

/**
 * From a well-formed frame to its answer: order of the connection → rate limit → route → reply. Frames of one connection
 * reach their routes in the order in which they came; what they wait for afterwards runs side by side.
 */
export class Dispatcher {
  readonly #services: RouteServices;
  readonly #observer: DispatchObserver;

  constructor(services: RouteServices, observer: DispatchObserver) {
    this.#services = services;
    this.#observer = observer;
  }

  dispatch(connection: Connection, frame: ClientFrame): void {
    const request = requestOf(frame);
    const waiting = connection.memory?.admissions;
    const overMs = this.#admitFrame(connection);
    if (overMs > 0) {
      if (waiting === undefined) return this.#postpone(connection, frame, overMs);
      // In its turn: refused before what came before it is with the core, it would hold up what it has to follow.
      return this.#runLater(
        connection,
        frame,
        waiting.then(() => overMs),
      );
    }
    if (connection.state === "opening" && frame.type !== "HELLO") {
      return this.refuse(
        connection,
        new WireError("bad_request", { detail: "HELLO comes first" }),
        request,
        frame.type,
      );
    }
    const wait =
      waiting === undefined
        ? this.#take(connection, frame.type)
        : waiting.then(() => this.#take(connection, frame.type));
    if (typeof wait === "number") return this.#run(connection, frame, wait);
    this.#runLater(connection, frame, wait);
  }

  /** Answers with an error that the client is to blame for; too many of them end the connection. */
  refuse(connection: Connection, error: WireError, request: string | undefined, type?: ClientFrameType): void {
    const now = this.#services.clock.monotonicMs();
    const memory = memoryOf(connection);
    const fullAt = gcra(memory.strikesFullAtMs, strikeRule, now);
    if (fullAt === undefined) return connection.close("flood");
    memory.strikesFullAtMs = fullAt;
    this.#observer.onError(connection, type, error, undefined);
    connection.sendError(error, request);
  }

  /** Limit on frames of any kind; 0 or how long to wait. Kept in the connection: it costs no look-up. */
  #admitFrame(connection: Connection): number {
    const rule = this.#services.rules().frame;
    if (rule === undefined) return 0;
    const memory = memoryOf(connection);
    const fullAt = gcra(memory.framesFullAtMs, rule, this.#services.clock.monotonicMs());
    if (fullAt === undefined) return rule.intervalMs;
    memory.framesFullAtMs = fullAt;
    return 0;
  }

  #postpone(connection: Connection, frame: ClientFrame, waitMs: number): void {
    const route = routes[frame.type] as Route<ClientFrameType>;
    if (connection.state === "greeted") {
      route.postponed?.(this.#services, connection, frame);
    }
    this.refuse(connection, new WireError("rate_limited", { retryAfterMs: waitMs }), requestOf(frame), frame.type);
  }

  #take(connection: Connection, type: ClientFrameType): number | Promise<number> {
    const { rules, rateLimits, clock } = this.#services;
    const name = routes[type].rule;
    const rule = name === undefined ? undefined : rules()[name];
    if (rule === undefined) return 0;
    return rateLimits.take(`${name}:${connection.caller.userId}`, rule, 1, clock.nowMs());
  }

  /** The limit is asked elsewhere: frames that come meanwhile queue behind this one, within the connection's bound. */
  #runLater(connection: Connection, frame: ClientFrame, wait: Promise<number>): void {
    connection.begin(1);
    const memory = memoryOf(connection);
    const run = async (): Promise<void> => {
      // Without an answer about limits the frame is taken: messages flow when the limiter is gone.
      const waitMs = await wait.catch(() => 0);
      connection.end(1);
      if (memory.admissions === turn) memory.admissions = undefined;
      this.#run(connection, frame, waitMs);
    };
    const turn = run();
    memory.admissions = turn;
  }

  #run(connection: Connection, frame: ClientFrame, waitMs: number): void {
    if (connection.state !== "opening" && connection.state !== "greeted") return;
    const request = requestOf(frame);
    if (waitMs > 0) return this.#postpone(connection, frame, waitMs);
    const route = routes[frame.type] as Route<ClientFrameType>;
    const started = this.#services.clock.monotonicMs();
    try {
      const answer = route.run(this.#services, connection, frame);
      if (!(answer instanceof Promise)) return this.#answer(connection, frame.type, answer, started);
      connection.begin(route.weight);
      answer.then(
        (reply) => this.#answerLater(connection, frame.type, route.weight, reply, started),
        (error: unknown) => this.#failLater(connection, frame.type, route.weight, request, error),
      );
    } catch (error) {
      this.#fail(connection, frame.type, request, error);
    }
  }

  #answerLater(
    connection: Connection,
    type: ClientFrameType,
    weight: number,
    reply: ServerFrame | undefined,
    started: number,
  ): void {
    this.#answer(connection, type, reply, started);
    connection.end(weight);
  }

  #failLater(
    connection: Connection,
    type: ClientFrameType,
    weight: number,
    request: string | undefined,
    error: unknown,
  ): void {
    this.#fail(connection, type, request, error);
    connection.end(weight);
  }

  #answer(connection: Connection, type: ClientFrameType, reply: ServerFrame | undefined, started: number): void {
    this.#observer.onAnswered(type, this.#services.clock.monotonicMs() - started);
    if (reply !== undefined) connection.send(reply);
  }

  #fail(connection: Connection, type: ClientFrameType, request: string | undefined, error: unknown): void {
    if (error instanceof WireError) {
      if (blamed.has(error.code)) return this.refuse(connection, error, request, type);
      this.#observer.onError(connection, type, error, error.cause);
      connection.sendError(error, request);
      return;
    }
    // Nobody knows how far it came: a send that failed so may be in the log.
    const internal = new WireError("internal", { undecided: type === "SEND_MESSAGE", cause: error });
    this.#observer.onError(connection, type, internal, error);
    connection.sendError(internal, request);
  }
}

/** What a correct client never gets. */
const blamed = new Set<string>(["bad_request", "bad_envelope", "too_large", "too_many"]);

/** As many as one window of drafts, then ten a second. */
const strikeRule: RateRule = { burst: limits.draftsPerConnectionMax, intervalMs: 100 };

/** The time at which the bucket will be full again once this one is taken, or undefined when it is empty. */
function gcra(fullAtMs: number, rule: RateRule, nowMs: number): number | undefined {
  const next = Math.max(fullAtMs, nowMs) + rule.intervalMs;
  return next - nowMs > rule.burst * rule.intervalMs ? undefined : next;
}

function requestOf(frame: ClientFrame): string | undefined {
  return "request" in frame ? frame.request : undefined;
}
