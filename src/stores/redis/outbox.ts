import { BoundedQueue } from "../../base/bounded-queue.ts";
import { encodeBatch, type BatchKind } from "./bus-batch.ts";

export interface OutboxOptions {
  /** The process it is for. */
  readonly node: string;
  /** The epoch that process had when the numbering began. */
  readonly epoch: string;
  readonly own: { readonly node: string; readonly epoch: string };
  readonly publish: (node: string, text: string) => Promise<void>;
  /** Told of what was not published; must not throw. */
  readonly onError: (error: unknown) => void;
}

export const outboxLimits = { entriesMax: 10_000, bytesMax: 8 * 1024 * 1024, batchBytesMax: 256 * 1024 } as const;
/** Batches on their way to Redis at once: what comes meanwhile is gathered into the next ones. */
const publishingMax = 2;

/**
 * What waits for one other process. Whatever is dropped takes a number of its own, so that the other end sees that
 * something is missing.
 */
export class Outbox {
  readonly node: string;
  readonly epoch: string;
  readonly #options: OutboxOptions;
  readonly #entries = new BoundedQueue<string>(outboxLimits.entriesMax);
  #bytes = 0;
  #counter = 0;
  #publishing = 0;
  /** Resolves when no batch given to Redis so far is under way any more. */
  #settled: Promise<void> = Promise.resolve();
  /** Entries dropped so far. */
  dropped = 0;

  constructor(options: OutboxOptions) {
    this.node = options.node;
    this.epoch = options.epoch;
    this.#options = options;
  }

  /** What was not given to Redis yet. */
  get waiting(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#entries.length, bytes: this.#bytes };
  }

  /** Whether something for this process was not published, or not yet. */
  get owes(): boolean {
    return this.dropped > 0 || this.#entries.length > 0 || this.#publishing > 0;
  }

  add(entry: string): void {
    if (this.#bytes + entry.length > outboxLimits.bytesMax || !this.#entries.push(entry)) return this.skip();
    this.#bytes += entry.length;
  }

  /** Something for this process will not be sent. */
  skip(): void {
    this.#counter++;
    this.dropped++;
  }

  /** Sends what waits, as far as batches may be under way. */
  flush(): void {
    while (this.#entries.length > 0 && this.#publishing < publishingMax) {
      const entries: string[] = [];
      let bytes = 0;
      for (let next = this.#entries.peek(); next !== undefined; next = this.#entries.peek()) {
        if (entries.length > 0 && bytes + next.length > outboxLimits.batchBytesMax) break;
        entries.push(next);
        bytes += next.length;
        this.#entries.shift();
      }
      this.#bytes -= bytes;
      this.#counter++;
      const before = this.#settled;
      this.#settled = this.#publish("batch", entries).then(() => before);
    }
  }

  /** Says which number was used last, or that this process begins or ends. Never rejects. */
  async say(kind: Exclude<BatchKind, "batch">): Promise<void> {
    await this.#publish(kind, []);
  }

  /** Sends everything that waits, then says good-bye. Never rejects; ends, since what Redis does not take is dropped. */
  async finish(): Promise<void> {
    while (this.#entries.length > 0 || this.#publishing > 0) {
      this.flush();
      await this.#settled;
    }
    await this.say("bye");
  }

  async #publish(kind: BatchKind, entries: readonly string[]): Promise<void> {
    const { own, publish, onError } = this.#options;
    const header = { kind, from: own.node, fromEpoch: own.epoch, toEpoch: this.epoch, counter: this.#counter };
    if (kind === "batch") this.#publishing++;
    try {
      await publish(this.node, encodeBatch(header, entries));
    } catch (error) {
      // The number is used: whoever should have got it sees that it is missing.
      this.dropped += entries.length;
      onError(error);
    } finally {
      if (kind === "batch") {
        this.#publishing--;
        this.flush();
      }
    }
  }
}
