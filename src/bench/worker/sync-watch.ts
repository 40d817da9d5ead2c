/**
 * Which devices of a worker are connected and in sync, and how long those were not that lost their connection against
 * their will. A device that a workload sends away has lost nothing; one that is not back at the end has, until then.
 */
export interface SyncWatchOptions {
  readonly slots: number;
  /** Sent away by a workload. */
  readonly isAway: (slot: number) => boolean;
  readonly back: (slot: number, sinceMs: number, atMs: number) => void;
}

export class SyncWatch {
  readonly #options: SyncWatchOptions;
  readonly #isSynced: Uint8Array;
  /** Monotonic ms; NaN = it has not lost its connection. */
  readonly #lostSinceMs: Float64Array;
  /** When it was last in sync again after it had been sent away, monotonic ms; Infinity = not yet, −Infinity = it never was. */
  readonly #awayUntilMs: Float64Array;
  #count = 0;

  constructor(options: SyncWatchOptions) {
    this.#options = options;
    this.#isSynced = new Uint8Array(options.slots);
    this.#lostSinceMs = new Float64Array(options.slots).fill(Number.NaN);
    this.#awayUntilMs = new Float64Array(options.slots).fill(Number.NEGATIVE_INFINITY);
  }

  /** How many are. */
  get count(): number {
    return this.#count;
  }

  isSynced(slot: number): boolean {
    return this.#isSynced[slot] === 1;
  }

  /** Whether it came back after that from an absence that a workload wanted, or is still away: what it missed comes by sync. */
  wasAway(slot: number, sinceMs: number): boolean {
    return sinceMs < (this.#awayUntilMs[slot] as number);
  }

  synced(slot: number, atMs: number): void {
    if (this.#awayUntilMs[slot] === Number.POSITIVE_INFINITY) this.#awayUntilMs[slot] = atMs;
    this.#count += 1 - (this.#isSynced[slot] as number);
    this.#isSynced[slot] = 1;
    this.#end(slot, atMs);
  }

  /** Its connection is not what it was; may come several times until it is back. */
  unsynced(slot: number, atMs: number): void {
    const was = this.isSynced(slot);
    this.#count -= Number(was);
    this.#isSynced[slot] = 0;
    if (this.#options.isAway(slot)) {
      this.#lostSinceMs[slot] = Number.NaN;
      this.#awayUntilMs[slot] = Number.POSITIVE_INFINITY;
    } else if (was) this.#lostSinceMs[slot] = atMs;
  }

  /**
   * What it misses at the end of a run is excused: it was sent away, or `nobodyAnswers` any more. Any other device had the
   * drain to come back and fetch what it was owed.
   */
  isExcused(slot: number, nobodyAnswers: boolean): boolean {
    return this.#options.isAway(slot) || (nobodyAnswers && !this.isSynced(slot));
  }

  /** Nobody comes back any more. */
  finish(atMs: number): void {
    for (let slot = 0; slot < this.#options.slots; slot++) this.#end(slot, atMs);
  }

  #end(slot: number, atMs: number): void {
    const sinceMs = this.#lostSinceMs[slot] as number;
    if (Number.isNaN(sinceMs)) return;
    this.#lostSinceMs[slot] = Number.NaN;
    this.#options.back(slot, sinceMs, atMs);
  }
}
