/**
 * What a proxy does to the bytes that pass it: one set of rules for all of its connections, as the rules of a network hold
 * for all who use it.
 */
export type Direction = "toServer" | "toClient";

export class LinkRules {
  /** Directions whose bytes stay in the proxy. */
  readonly held = new Set<Direction>();
  delayMs = 0;
  /** The longest that a delay may vary, beyond `delayMs`. */
  jitterMs = 0;
  readonly #randomFloat: () => number;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  /** When the next byte of a direction may pass. */
  readonly #freeAtMs: Record<Direction, number> = { toServer: 0, toClient: 0 };

  constructor(randomFloat: () => number) {
    this.#randomFloat = randomFloat;
  }

  /** Of each direction, shared by all connections; Infinity = no bound. */
  set bytesPerSecond(bytes: number) {
    this.#bytesPerSecond = bytes;
    this.#freeAtMs.toServer = 0;
    this.#freeAtMs.toClient = 0;
  }

  /** When bytes that came now arrive, if nothing else keeps them. */
  dueMs(nowMs: number): number {
    return nowMs + this.delayMs + (this.jitterMs === 0 ? 0 : this.jitterMs * this.#randomFloat());
  }

  /** When the link has room for more in that direction. */
  freeAtMs(direction: Direction): number {
    return this.#freeAtMs[direction];
  }

  /** How many bytes pass in one piece: a twentieth of a second's, so that one connection does not keep the link to itself. */
  get pieceBytesMax(): number {
    return Math.max(1, Math.floor(this.#bytesPerSecond / 20));
  }

  passed(direction: Direction, bytes: number, nowMs: number): void {
    if (this.#bytesPerSecond === Number.POSITIVE_INFINITY) return;
    const fromMs = Math.max(nowMs, this.#freeAtMs[direction]);
    this.#freeAtMs[direction] = fromMs + (bytes / this.#bytesPerSecond) * 1_000;
  }
}
