import type { ClientFrame } from "../../src/protocol/frames/client-frames.ts";
import type { ServerFrame } from "../../src/protocol/frames/server-frames.ts";
import type { Uuid } from "../../src/protocol/ids.ts";

/**
 * What one connection said of the messages that were sent on it. A device whose first message is out of order gives up the
 * connection, which is right only if the process waits for a message that failed and that the device has dropped since, or
 * if it has refused this very message for good and the device, which had sent it again, did not listen any more.
 */
export class GateWatch {
  readonly #asked = new Map<string, Uuid>();
  /** Messages that failed for now, and were not answered since. */
  readonly #failed = new Set<Uuid>();
  readonly #refused = new Set<Uuid>();
  #last: Uuid | undefined;

  sends(frame: ClientFrame): void {
    if (frame.type === "SEND_MESSAGE") this.#asked.set(frame.request, frame.message_id);
  }

  hears(frame: ServerFrame): void {
    if (frame.type === "ACK") this.#failed.delete(frame.message_id);
    if (frame.type !== "ERROR" || frame.request === undefined) return;
    const messageId = this.#asked.get(frame.request);
    if (messageId === undefined) return;
    this.#last = messageId;
    if (frame.temporary || frame.undecided === true) this.#failed.add(messageId);
    else {
      this.#failed.delete(messageId);
      this.#refused.add(messageId);
    }
  }

  /** The message of which it spoke last; undefined when there is a reason for its being out of order. */
  blamed(pending: ReadonlySet<Uuid>): Uuid | undefined {
    for (const messageId of this.#failed) if (!pending.has(messageId)) return undefined;
    return this.#last === undefined || this.#refused.has(this.#last) ? undefined : this.#last;
  }
}
