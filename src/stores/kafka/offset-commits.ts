import type { Clock } from "../../base/clock.ts";

export interface OffsetCommitsOptions {
  readonly clock: Clock;
  /** Commits them all, or rejects: then it is tried again. */
  readonly send: (offsets: ReadonlyMap<number, bigint>) => Promise<void>;
  readonly retryMs: number;
}

/**
 * How far each partition is done, brought to the broker: one commit at a time with the newest of each partition, tried
 * until it is taken or the partition is somebody else's. Calls never wait for it: what is done twice does no harm.
 */
export class OffsetCommits {
  readonly #options: OffsetCommitsOptions;
  /** Partition → offset of the first job that is not done. */
  readonly #open = new Map<number, bigint>();
  #isSending = false;
  #changed: (() => void)[] = [];

  constructor(options: OffsetCommitsOptions) {
    this.#options = options;
  }

  mark(partition: number, offset: bigint): void {
    this.#open.set(partition, offset);
    if (!this.#isSending) void this.#send();
  }

  /** Nothing of the partition is sent any more. */
  forget(partition: number): void {
    this.#open.delete(partition);
    this.#tell();
  }

  /** Resolves when what was marked, of all or of one partition, is committed or forgotten, or when `withinMs` are over. */
  async settle(withinMs: number, partition?: number): Promise<void> {
    const inTime = Promise.withResolvers<boolean>();
    const timer = this.#options.clock.schedule(withinMs, () => inTime.resolve(false));
    const isOpen = (): boolean => (partition === undefined ? this.#open.size > 0 : this.#open.has(partition));
    while (isOpen() && (await Promise.race([this.#nextChange(), inTime.promise])));
    timer.cancel();
  }

  #nextChange(): Promise<true> {
    return new Promise((resolve) => this.#changed.push(() => resolve(true)));
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    while (this.#open.size > 0) {
      const offsets = new Map(this.#open);
      try {
        await this.#options.send(offsets);
        for (const [partition, offset] of offsets) {
          if (this.#open.get(partition) === offset) this.#open.delete(partition);
        }
      } catch {
        // The group is forming anew or the broker is away: the membership tells the one, the health of the queue the other.
        await new Promise<void>((resolve) => this.#options.clock.schedule(this.#options.retryMs, resolve));
      }
      this.#tell();
    }
    this.#isSending = false;
  }

  #tell(): void {
    for (const resolve of this.#changed.splice(0)) resolve();
  }
}
