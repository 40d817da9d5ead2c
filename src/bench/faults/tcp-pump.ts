import type { Socket } from "node:net";
import type { Direction, LinkRules } from "./tcp-link.ts";

/** Held bytes of one connection and direction beyond which the sender is made to wait. */
const heldBytesMax = 16 * 1024 * 1024;

/** One direction of one connection: takes what comes, keeps it as the rules say, and passes it on in order. */
export class Pump {
  readonly direction: Direction;
  readonly #rules: LinkRules;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #onHeld: () => void;
  #chunks: { bytes: Buffer; readonly dueMs: number }[] = [];
  #queuedBytes = 0;
  #lastDueMs = 0;
  #ended = false;
  #led = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(rules: LinkRules, direction: Direction, from: Socket, to: Socket, onHeld: () => void) {
    this.#rules = rules;
    this.direction = direction;
    this.#from = from;
    this.#to = to;
    this.#onHeld = onHeld;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => {
      this.#ended = true;
      this.flush();
    });
    to.on("drain", () => this.flush());
    to.on("close", () => clearTimeout(this.#timer));
  }

  get heldBytes(): number {
    return this.#rules.held.has(this.direction) ? this.#queuedBytes : 0;
  }

  /** From now on whatever comes is thrown away, with what is here. */
  leadNowhere(): void {
    this.#led = false;
    clearTimeout(this.#timer);
    this.#chunks = [];
    this.#queuedBytes = 0;
    this.#from.resume();
  }

  /** Passes on what may go now. */
  flush(): void {
    clearTimeout(this.#timer);
    while (this.#led && !this.#rules.held.has(this.direction)) {
      const [next] = this.#chunks;
      if (next === undefined) {
        if (this.#ended) this.#to.end();
        return;
      }
      const nowMs = performance.now();
      const waitMs = Math.max(next.dueMs, this.#rules.freeAtMs(this.direction)) - nowMs;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flush(), waitMs);
        return;
      }
      if (this.#to.writableNeedDrain) return;
      this.#pass(next, nowMs);
    }
  }

  #take(bytes: Buffer): void {
    if (!this.#led) return;
    // Jitter must not let bytes overtake each other.
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#rules.dueMs(performance.now()));
    this.#chunks.push({ bytes, dueMs: this.#lastDueMs });
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > heldBytesMax) this.#from.pause();
    this.flush();
    if (this.heldBytes > 0) this.#onHeld();
  }

  #pass(next: { bytes: Buffer }, nowMs: number): void {
    const { pieceBytesMax } = this.#rules;
    const piece = next.bytes.length <= pieceBytesMax ? next.bytes : next.bytes.subarray(0, pieceBytesMax);
    if (piece.length === next.bytes.length) this.#chunks.shift();
    else next.bytes = next.bytes.subarray(piece.length);
    this.#queuedBytes -= piece.length;
    this.#rules.passed(this.direction, piece.length, nowMs);
    this.#to.write(piece);
    if (this.#from.isPaused() && this.#queuedBytes <= heldBytesMax) this.#from.resume();
  }
}
