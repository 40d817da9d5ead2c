import type { Clock } from "../../base/clock.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { toWireError } from "./errors.ts";

export interface JobMessage {
  readonly key: Buffer;
  readonly value: Buffer;
  /** Wall-clock ms. */
  readonly timestampMs: number;
}

export interface JobWriterOptions {
  readonly clock: Clock;
  /** Durable when it resolves; in order. Bounded in time. */
  readonly send: (messages: readonly JobMessage[]) => Promise<void>;
  /** Longest that somebody waits for `write`, ms. */
  readonly withinMs: number;
  /** A send failed or did not end in time. */
  readonly onFailure: () => void;
}

interface Write {
  readonly messages: readonly JobMessage[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A batch for one partition has to fit into what a reader asks of it (job-fetcher.ts); a message has some 250 bytes. */
const messagesPerSendMax = 512;

/**
 * One send at a time; what comes meanwhile goes out together with the next. That keeps the order of calls whatever the
 * driver has to repeat, and makes one round trip of many small writes.
 */
export class JobWriter {
  readonly #options: JobWriterOptions;
  #waiting: Write[] = [];
  #messagesWaiting = 0;
  #isSending = false;

  constructor(options: JobWriterOptions) {
    this.#options = options;
  }

  /** Durable when it resolves. Errors: WireError; then it is open whether they were written. */
  async write(messages: readonly JobMessage[]): Promise<void> {
    if (messages.length === 0) return;
    if (this.#messagesWaiting + messages.length > limits.fanOutJobsWaitingMax) throw new WireError("overloaded");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const write: Write = { messages, resolve, reject };
    const timer = this.#options.clock.schedule(this.#options.withinMs, () => this.#giveUp(write));
    this.#waiting.push(write);
    this.#messagesWaiting += messages.length;
    if (!this.#isSending) void this.#sendAll();
    try {
      await promise;
    } catch (error) {
      throw toWireError(error);
    } finally {
      timer.cancel();
    }
  }

  /** What waits is refused; what is under way ends as it ends. */
  stop(): void {
    for (const write of this.#take(Number.POSITIVE_INFINITY)) write.reject(new WireError("store_unavailable"));
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.length > 0) {
      const writes = this.#take(messagesPerSendMax);
      try {
        await this.#options.send(writes.flatMap(({ messages }) => messages));
        for (const write of writes) write.resolve();
      } catch (error) {
        for (const write of writes) write.reject(error);
        this.#options.onFailure();
      }
    }
    this.#isSending = false;
  }

  /** At least one write, and no more than fit together. */
  #take(messagesMax: number): Write[] {
    const taken: Write[] = [];
    let count = 0;
    for (const write of this.#waiting) {
      if (taken.length > 0 && count + write.messages.length > messagesMax) break;
      taken.push(write);
      count += write.messages.length;
    }
    this.#waiting = this.#waiting.slice(taken.length);
    this.#messagesWaiting -= count;
    return taken;
  }

  #giveUp(write: Write): void {
    const at = this.#waiting.indexOf(write);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
      this.#messagesWaiting -= write.messages.length;
    }
    write.reject(
      new WireError("store_unavailable", { detail: `Kafka did not answer in ${this.#options.withinMs} ms.` }),
    );
    this.#options.onFailure();
  }
}
