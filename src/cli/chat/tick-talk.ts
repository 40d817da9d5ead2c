import type { MessageStatus } from "../../protocol/receipt-math.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Client } from "../../client/runtime/client.ts";
import type { HostEvent } from "../../client/runtime/device-host.ts";

/** Statuses follow each other within milliseconds; only where they come to rest is worth a line. */
const restMs = 400;
const rankOf: Readonly<Record<MessageStatus, number>> = { sent: 0, delivered: 1, read: 2 };

/** Says how far the newest own message of the open chat got, each time it got farther. */
export class TickTalk {
  readonly #client: Client;
  readonly #say: (status: MessageStatus) => void;
  #conversationId: Uuid | undefined = undefined;
  #seq = 0;
  #maxStatus: "sent" | undefined = undefined;
  #told = -1;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(client: Client, say: (status: MessageStatus) => void) {
    this.#client = client;
    this.#say = say;
  }

  /** From now on it is about this chat. */
  open(conversationId: Uuid | undefined): void {
    this.#conversationId = conversationId;
    this.#seq = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  hear(event: HostEvent): void {
    if (event.type === "sent" && event.conversationId === this.#conversationId) {
      this.#seq = event.seq;
      this.#maxStatus = event.maxStatus;
      this.#told = -1;
    } else if (event.type !== "watermarks" && event.type !== "receipts") return;
    if (this.#seq > 0) this.#timer ??= setTimeout(() => this.#tell(), restMs);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    this.#timer = undefined;
    if (this.#conversationId === undefined || this.#seq === 0) return;
    const status = this.#client.statusOf(this.#conversationId, this.#seq, this.#maxStatus);
    if (rankOf[status] <= this.#told) return;
    this.#told = rankOf[status];
    this.#say(status);
  }
}
