import type { Clock, Timer } from "../../base/clock.ts";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { MessageStatus } from "../../protocol/receipt-math.ts";
import type { HostEvent } from "./device-host.ts";

/** Where a message stands in the log. */
export interface LoggedMessage {
  readonly messageId: Uuid;
  readonly conversationId: Uuid;
  readonly seq: number;
  readonly sentAt: number;
  readonly maxStatus: "sent" | undefined;
}

/** Why a message did not get as far as it was waited for. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  /**
   * A code of the wire error table, or `timeout` (it may still happen), `outbox_full`, `duplicate_id`, `too_large`,
   * `not_ready`, `closed`.
   */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Waiter {
  readonly messageId: Uuid;
  readonly status: MessageStatus;
  readonly deferred: Deferred<LoggedMessage>;
  readonly timer: Timer;
}

const rankOf: Readonly<Record<MessageStatus, number>> = { sent: 0, delivered: 1, read: 2 };
const loggedMax = 4_096;

/** Promises for "sent", "delivered" and "read" of messages of this process. */
export class DeliveryWaiters {
  readonly #clock: Clock;
  readonly #statusOf: (message: LoggedMessage) => MessageStatus;
  readonly #logged = new Map<Uuid, LoggedMessage>();
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock, statusOf: (message: LoggedMessage) => MessageStatus) {
    this.#clock = clock;
    this.#statusOf = statusOf;
  }

  /** Messages that are waited for beyond `sent`. */
  *watched(): Generator<LoggedMessage> {
    for (const { messageId, status } of this.#waiters) {
      const logged = this.#logged.get(messageId);
      if (logged !== undefined && status !== "sent") yield logged;
    }
  }

  /** Resolves once the message has at least `status`; rejects with DeliveryError. */
  wait(messageId: Uuid, status: MessageStatus, timeoutMs: number): Promise<LoggedMessage> {
    const deferred = createDeferred<LoggedMessage>();
    const timer = this.#clock.schedule(timeoutMs, () => {
      this.#waiters.delete(waiter);
      deferred.reject(new DeliveryError("timeout", `not ${status} within ${timeoutMs} ms; it is not given up`));
    });
    const waiter: Waiter = { messageId, status, deferred, timer };
    this.#waiters.add(waiter);
    this.#settle(waiter);
    return deferred.promise;
  }

  apply(event: HostEvent): void {
    if (event.type === "sent") {
      const { messageId, conversationId, seq, sentAt, maxStatus } = event;
      this.#logged.set(messageId, { messageId, conversationId, seq, sentAt, maxStatus });
      if (this.#logged.size > loggedMax) this.#logged.delete(this.#logged.keys().next().value as Uuid);
    } else if (event.type === "send_failed") {
      const { messageId } = event;
      this.#reject(new DeliveryError(event.code, event.message), (waiter) => waiter.messageId === messageId);
    } else if (event.type !== "watermarks" && event.type !== "receipts") return;
    for (const waiter of this.#waiters) this.#settle(waiter);
  }

  close(): void {
    this.#reject(new DeliveryError("closed", "the client was closed"), () => true);
  }

  #settle(waiter: Waiter): void {
    const logged = this.#logged.get(waiter.messageId);
    if (logged === undefined || rankOf[this.#statusOf(logged)] < rankOf[waiter.status]) return;
    waiter.timer.cancel();
    this.#waiters.delete(waiter);
    waiter.deferred.resolve(logged);
  }

  #reject(error: DeliveryError, applies: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) {
      if (!applies(waiter)) continue;
      waiter.timer.cancel();
      this.#waiters.delete(waiter);
      waiter.deferred.reject(error);
    }
  }
}
