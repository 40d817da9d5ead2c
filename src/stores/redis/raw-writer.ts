import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock, Timer } from "../../base/clock.ts";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { Random } from "../../base/random.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { toWireError } from "./errors.ts";
import type { RedisAddress } from "./redis-address.ts";
import { encodeCommand, ReplyCounter } from "./resp.ts";
import { retryDelayMs } from "./retry-delay.ts";

export interface RawWriterOptions {
  readonly address: RedisAddress;
  /** Commands without a reply for this long cost the connection. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** What was written in one turn of the event loop. */
interface Batch {
  text: string;
  replies: number;
  readonly done: Deferred<void>;
  error: string | undefined;
  sentAtMs: number;
}

/** Bound on what was written and not answered: some 100,000 heartbeats. */
const bytesInFlightMax = 32 * 1024 * 1024;
/** One write at most; a larger string would only be held longer by the socket. */
const batchBytesMax = 256 * 1024;

/**
 * A connection for writes whose answers are only counted. A driver that makes an object and a promise of every command is
 * its own bottleneck at hundreds of thousands a second; here whatever is written in one turn of the event loop is one
 * string, one write and one promise.
 *
 *   idle ──open()──▶ down ──connected, logged in──▶ up ──cut, or no reply for timeoutMs──▶ down …     close() ends it from anywhere
 *
 * While it is down writes are refused at once. What was under way when it went down is refused, and may have been done.
 */
export class RawWriter {
  readonly #options: RawWriterOptions;
  readonly #sent: Batch[] = [];
  #filling: Batch | undefined;
  #bytesInFlight = 0;
  #socket: Socket | undefined;
  #isUp = false;
  #isClosed = false;
  #attempt = 0;
  #watch: Timer | undefined;
  readonly #opening = createDeferred<void>();

  constructor(options: RawWriterOptions) {
    this.#options = options;
  }

  /** Resolves when it is up for the first time. Rejects with WireError, closed, when the first attempt failed. Once. */
  async open(): Promise<void> {
    this.#connect();
    await this.#opening.promise.catch((error: unknown) => {
      this.close();
      throw error;
    });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /**
   * Writes encoded commands that have `replies` one-line replies. Resolves when all of this turn are answered. Rejects
   * with WireError when they are not, or when any of them was refused.
   */
  write(text: string, replies: number): Promise<void> {
    if (!this.#isUp) return refused("not connected");
    if (this.#bytesInFlight + text.length > bytesInFlightMax) return refused("too much waits for an answer");
    const batch = (this.#filling ??= this.#begin());
    batch.text += text;
    batch.replies += replies;
    this.#bytesInFlight += text.length;
    if (batch.text.length >= batchBytesMax) this.#flush();
    return batch.done.promise;
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#watch?.cancel();
    this.#socket?.destroy();
    this.#fail("closed");
  }

  #begin(): Batch {
    setImmediate(() => this.#flush());
    return { text: "", replies: 0, done: createDeferred<void>(), error: undefined, sentAtMs: 0 };
  }

  #flush(): void {
    const batch = this.#filling;
    if (batch === undefined) return;
    this.#filling = undefined;
    this.#send(batch);
  }

  #send(batch: Batch): void {
    batch.sentAtMs = this.#options.clock.monotonicMs();
    this.#sent.push(batch);
    this.#socket?.write(batch.text);
  }

  #connect(): void {
    const { address, timeoutMs } = this.#options;
    const target = { host: address.host, port: address.port };
    const socket = address.tls ? connectTls({ ...target, servername: address.host }) : connectTcp(target);
    this.#socket = socket;
    const replies = new ReplyCounter();
    socket.setNoDelay(true);
    socket.unref();
    socket.on(address.tls ? "secureConnect" : "connect", () => this.#logIn());
    socket.on("data", (chunk: Buffer) => replies.read(chunk, (error) => this.#onReply(error)));
    // The cause is told by `close`, which always follows.
    socket.on("error", () => {});
    socket.on("close", () => this.#onClose());
    this.#watch = this.#options.clock.schedule(timeoutMs, () => this.#checkTime());
  }

  #logIn(): void {
    const { username, password, database } = this.#options.address;
    const commands = [["PING"]];
    if (password !== undefined)
      commands.unshift(username === undefined ? ["AUTH", password] : ["AUTH", username, password]);
    if (database !== 0) commands.push(["SELECT", String(database)]);
    const done = createDeferred<void>();
    const text = commands.map(encodeCommand).join("");
    this.#bytesInFlight += text.length;
    this.#send({ text, replies: commands.length, done, error: undefined, sentAtMs: 0 });
    done.promise.then(
      () => {
        this.#isUp = true;
        this.#opening.resolve();
        this.#attempt = 0;
      },
      () => this.#socket?.destroy(),
    );
  }

  #onReply(error: string | undefined): void {
    const batch = this.#sent[0];
    // More replies than commands: this connection cannot be understood any more.
    if (batch === undefined) return void this.#socket?.destroy();
    if (error !== undefined) batch.error ??= error;
    batch.replies--;
    if (batch.replies > 0) return;
    this.#sent.shift();
    this.#bytesInFlight -= batch.text.length;
    if (batch.error === undefined) batch.done.resolve();
    else batch.done.reject(toWireError(Object.assign(new Error(batch.error), { name: "ReplyError" })));
  }

  /** Waits in whole time-outs, so that a busy connection sets no timer for each batch. */
  #checkTime(): void {
    if (this.#isClosed) return;
    const { clock, timeoutMs } = this.#options;
    const oldest = this.#sent[0];
    if (!this.#isUp || (oldest !== undefined && clock.monotonicMs() - oldest.sentAtMs >= timeoutMs)) {
      this.#socket?.destroy();
    } else this.#watch = clock.schedule(timeoutMs / 2, () => this.#checkTime());
  }

  #onClose(): void {
    this.#isUp = false;
    this.#watch?.cancel();
    this.#fail("the connection was cut");
    this.#opening.reject(unavailable("no connection"));
    if (this.#isClosed) return;
    this.#attempt++;
    this.#options.clock.schedule(retryDelayMs(this.#attempt, this.#options.random), () => {
      if (!this.#isClosed) this.#connect();
    });
  }

  #fail(detail: string): void {
    const waiting = this.#sent.splice(0);
    if (this.#filling !== undefined) waiting.push(this.#filling);
    this.#filling = undefined;
    this.#bytesInFlight = 0;
    for (const { done } of waiting) {
      done.reject(unavailable(detail));
      // Whoever wrote has the same promise; a batch of the log-in has nobody else.
      done.promise.catch(() => {});
    }
  }
}

function unavailable(detail: string): WireError {
  return new WireError("store_unavailable", { detail: `Redis did not take a write: ${detail}.` });
}

function refused(detail: string): Promise<void> {
  return Promise.reject(unavailable(detail));
}
