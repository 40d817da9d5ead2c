import type { Uuid } from "../../protocol/ids.ts";

/**
 * When the first and the last device of this worker got a group message. A message is forgotten once all devices that
 * were expected to get it have it, or `waitMs` after its first arrival: what came until then counts as all.
 * Bounded by `messagesMax`; beyond it the oldest is closed early.
 */
export interface GroupDeliveriesOptions {
  readonly waitMs: number;
  readonly messagesMax: number;
  readonly last: (workload: number, intendedMs: number, atMs: number) => void;
}

interface Message {
  readonly workload: number;
  readonly intendedMs: number;
  readonly firstAtMs: number;
  lastAtMs: number;
  missing: number;
}

export class GroupDeliveries {
  readonly #options: GroupDeliveriesOptions;
  /** In the order of first arrival. */
  readonly #messages = new Map<Uuid, Message>();

  constructor(options: GroupDeliveriesOptions) {
    this.#options = options;
  }

  /** True when it is the first. `expected` is asked then only: how many devices of this worker are to get it. */
  arrived(messageId: Uuid, workload: number, intendedMs: number, atMs: number, expected: () => number): boolean {
    let message = this.#messages.get(messageId);
    const isFirst = message === undefined;
    if (message === undefined) {
      message = { workload, intendedMs, firstAtMs: atMs, lastAtMs: atMs, missing: expected() };
      if (this.#messages.size >= this.#options.messagesMax) this.#closeOldest();
      this.#messages.set(messageId, message);
    }
    message.lastAtMs = atMs;
    message.missing--;
    if (message.missing <= 0) this.#close(messageId, message);
    return isFirst;
  }

  /** Closes what has waited long enough. */
  sweep(atMs: number): void {
    for (const [messageId, message] of this.#messages) {
      if (atMs - message.firstAtMs < this.#options.waitMs) return;
      this.#close(messageId, message);
    }
  }

  #closeOldest(): void {
    for (const [messageId, message] of this.#messages) {
      this.#close(messageId, message);
      return;
    }
  }

  #close(messageId: Uuid, message: Message): void {
    this.#messages.delete(messageId);
    this.#options.last(message.workload, message.intendedMs, message.lastAtMs);
  }
}
