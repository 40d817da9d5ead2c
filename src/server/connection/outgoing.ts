import type { Writable } from "node:stream";
import { limits } from "../../protocol/limits.ts";

/** What the queue needs of its surroundings; one for all connections. */
export interface OutgoingHost {
  readonly round: { add(target: { flush(): void }): void };
  /** Milliseconds, monotonic. */
  nowMs(): number;
}

/**
 * What waits to be written to one socket.
 *
 * Frames pushed in one turn of the event loop leave together, in one write. Behind that write stands the socket's own
 * buffer, which grows when the client does not read: the queue is what waits here plus what the kernel has not taken,
 * and it is bounded in bytes and in frames. Beyond the bound `onOverflow` runs once, and the connection ends as `slow`.
 *
 * Pages (sync, history) are large and asked for, so they are not counted: they go one at a time, each waiting until the
 * kernel has taken the one before, and whoever reads the store for the next one waits with them.
 */
export class Outgoing {
  readonly #socket: Writable;
  readonly #host: OutgoingHost;
  readonly #onOverflow: () => void;
  /** Undefined while nothing waits: most connections are idle. */
  #waiting: Buffer[] | undefined;
  #waitingBytes = 0;
  /** Frames given to the socket since its buffer was last seen empty. */
  #framesBehind = 0;
  #pageBytes = 0;
  #pageSinceMs = 0;
  #pageLane: Promise<void> | undefined;
  #overflowed = false;

  constructor(socket: Writable, host: OutgoingHost, onOverflow: () => void) {
    this.#socket = socket;
    this.#host = host;
    this.#onOverflow = onOverflow;
  }

  /** Bytes that the client has not taken, without the page on its way. */
  get queueBytes(): number {
    return this.#waitingBytes + Math.max(0, this.#socket.writableLength - this.#pageBytes);
  }

  /** Since when the page on its way was not taken; undefined = there is none. */
  get pageWaitsSinceMs(): number | undefined {
    return this.#pageBytes === 0 ? undefined : this.#pageSinceMs;
  }

  /** Takes over `frame`, which must not change afterwards. */
  push(frame: Buffer): void {
    if (this.#overflowed) return;
    if (this.#waiting === undefined) {
      this.#waiting = [frame];
      this.#host.round.add(this);
    } else {
      this.#waiting.push(frame);
    }
    this.#waitingBytes += frame.length;
    if (this.#waitingBytes >= flushBytes || this.#waiting.length >= flushFrames) this.flush();
  }

  /** Hands everything that waits to the socket. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    this.#waitingBytes = 0;
    if (this.#socket.destroyed || !this.#socket.writable) return;
    if (this.queueBytes === 0) this.#framesBehind = 0;
    this.#framesBehind += waiting.length;
    this.#socket.write(waiting.length === 1 ? waiting[0] : Buffer.concat(waiting));
    const behindBytes = this.queueBytes;
    if (behindBytes === 0) this.#framesBehind = 0;
    else if (behindBytes > limits.sendQueueBytesMax || this.#framesBehind > limits.sendQueueFramesMax) this.#overflow();
  }

  /**
   * Writes a page behind everything pushed before, after the pages before it. Resolves when the kernel has taken it, or
   * the socket is gone. `encode` runs when its turn comes, so that waiting pages hold no encoded copy;
   * what it does not give is not written.
   */
  async page(encode: () => Buffer | undefined): Promise<void> {
    const before = this.#pageLane;
    const turn = before === undefined ? this.#writePage(encode) : before.then(() => this.#writePage(encode));
    this.#pageLane = turn;
    await turn;
    if (this.#pageLane === turn) this.#pageLane = undefined;
  }

  #writePage(encode: () => Buffer | undefined): Promise<void> {
    this.flush();
    if (this.#socket.destroyed || !this.#socket.writable) return Promise.resolve();
    const page = encode();
    if (page === undefined) return Promise.resolve();
    this.#pageBytes = page.length;
    this.#pageSinceMs = this.#host.nowMs();
    return new Promise((resolve) => {
      this.#socket.write(page, () => {
        this.#pageBytes = 0;
        resolve();
      });
    });
  }

  #overflow(): void {
    if (this.#overflowed) return;
    this.#overflowed = true;
    this.#onOverflow();
  }
}

/** A burst within one turn is handed on before it is large, so that only what the client leaves unread can overflow. */
const flushBytes = 64 * 1024;
const flushFrames = 256;
