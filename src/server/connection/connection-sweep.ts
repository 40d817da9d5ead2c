import type { Clock, Timer } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";
import type { Connection } from "./connection.ts";

export interface SweepHost {
  /** The connection fell silent for presenceTtlMs; others must not see it online any more. */
  onSilent(connection: Connection): void;
  /** Once a second for every connection, in batches: whether its session still stands. */
  checkSessions(connections: readonly Connection[]): void;
}

const spokes = 10;
const turnMs = 1_000;

/**
 * Everything about connections that is a matter of time, on one timer: a wheel of ten spokes, each holding a tenth of
 * the connections and visited once a second. So no connection owns a timer, and a check of 10,000 of them comes in
 * slices that do not hold up the others. Times are exact to one turn.
 */
export class ConnectionSweep {
  readonly #spokes: readonly Set<Connection>[] = Array.from({ length: spokes }, () => new Set<Connection>());
  readonly #clock: Clock;
  readonly #host: SweepHost;
  #timer: Timer | undefined;
  #next = 0;
  #arrivals = 0;

  constructor(clock: Clock, host: SweepHost) {
    this.#clock = clock;
    this.#host = host;
  }

  start(): void {
    this.#timer = this.#clock.schedule(turnMs / spokes, () => {
      this.visit(this.#spokes[this.#next] as Set<Connection>);
      this.#next = (this.#next + 1) % spokes;
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  add(connection: Connection): void {
    const spoke = this.#spokes[this.#arrivals % spokes] as Set<Connection>;
    this.#arrivals = (this.#arrivals + 1) % spokes;
    spoke.add(connection);
  }

  /** Idempotent. */
  remove(connection: Connection): void {
    for (const spoke of this.#spokes) if (spoke.delete(connection)) return;
  }

  /** Connections in every state but closed. */
  get size(): number {
    return this.#spokes.reduce((sum, spoke) => sum + spoke.size, 0);
  }

  *all(): Generator<Connection> {
    for (const spoke of this.#spokes) yield* spoke;
  }

  visit(connections: ReadonlySet<Connection>): void {
    const now = Math.trunc(this.#clock.monotonicMs());
    const alive: Connection[] = [];
    for (const connection of connections) if (this.#check(connection, now)) alive.push(connection);
    if (alive.length > 0) this.#host.checkSessions(alive);
  }

  /** Whether the connection goes on. */
  #check(connection: Connection, now: number): boolean {
    const { state } = connection;
    if (state === "draining" || state === "closed") {
      if (now - connection.leftAtMs > closeTimeoutMs) connection.terminate();
      return false;
    }
    if (state === "opening" && now - connection.openedAtMs > limits.helloTimeoutMs) {
      connection.close("hello_timeout");
      return false;
    }
    if (now - connection.beatAtMs > limits.presenceTtlMs && connection.present) this.#host.onSilent(connection);
    // While the server itself does not read, silence is its own.
    if (!connection.paused && now - connection.heardAtMs > limits.silenceTimeoutMs) {
      connection.close("silent");
      return false;
    }
    if (connection.pageWaitsSinceMs !== undefined && now - connection.pageWaitsSinceMs > limits.silenceTimeoutMs) {
      connection.close("slow", "a page was not read");
      return false;
    }
    return true;
  }
}

/** How long a socket may take to end after this side began to close. */
export const closeTimeoutMs = 5_000;
