import { assert } from "../../base/assert.ts";
import { float64Column, uint32Column, uint8Column } from "./columns.ts";
import type { SentMessage } from "./types.ts";

/** Every message sent, by columns: 41 bytes each. A handle is the number of a message here. */
const outcomes = ["undecided", "acked", "refused"] as const;
export type Outcome = (typeof outcomes)[number];

export interface SerialisedSends {
  readonly conversation: Uint32Array;
  readonly sender: Uint32Array;
  readonly n: Uint32Array;
  readonly seq: Uint32Array;
  readonly outcome: Uint8Array;
  readonly id: Float64Array;
  readonly sentAt: Float64Array;
  readonly ackedAt: Float64Array;
}

export interface NewSend {
  /** Row of (device, conversation) in the recorder. */
  readonly row: number;
  readonly device: number;
  readonly conversation: number;
  readonly n: number;
  readonly id: number;
  readonly atMs: number;
}

export class SendLog {
  readonly #sendsMax: number;
  readonly #row = uint32Column();
  readonly #conversation = uint32Column();
  readonly #sender = uint32Column();
  readonly #n = uint32Column();
  readonly #seq = uint32Column();
  readonly #outcome = uint8Column();
  readonly #id = float64Column();
  readonly #sentAt = float64Column();
  readonly #ackedAt = float64Column();
  #length = 0;

  constructor(sendsMax: number) {
    this.#sendsMax = sendsMax;
  }

  add(send: NewSend): number {
    assert(this.#length < this.#sendsMax, `ledger of at most ${this.#sendsMax} messages`);
    const handle = this.#length++;
    this.#row.set(handle, send.row);
    this.#conversation.set(handle, send.conversation);
    this.#sender.set(handle, send.device);
    this.#n.set(handle, send.n);
    this.#id.set(handle, send.id);
    this.#sentAt.set(handle, send.atMs);
    this.#ackedAt.set(handle, Number.POSITIVE_INFINITY);
    return handle;
  }

  /** False when the message had an outcome before: an ACK that comes twice changes nothing. */
  settle(handle: number, outcome: Outcome, seq: number, atMs: number): boolean {
    assert(handle >= 0 && handle < this.#length, `message ${handle} was sent`);
    if (this.#outcome.get(handle) !== 0) return false;
    this.#outcome.set(handle, outcomes.indexOf(outcome));
    this.#seq.set(handle, seq);
    if (outcome === "acked") this.#ackedAt.set(handle, atMs);
    return true;
  }

  rowOf(handle: number): number {
    return this.#row.get(handle);
  }

  conversationOf(handle: number): number {
    return this.#conversation.get(handle);
  }

  serialise(): SerialisedSends {
    return {
      conversation: this.#conversation.take(this.#length),
      sender: this.#sender.take(this.#length),
      n: this.#n.take(this.#length),
      seq: this.#seq.take(this.#length),
      outcome: this.#outcome.take(this.#length),
      id: this.#id.take(this.#length),
      sentAt: this.#sentAt.take(this.#length),
      ackedAt: this.#ackedAt.take(this.#length),
    };
  }
}

/** Message number `index` of serialised sends as a plain object. */
export function sentMessageAt(sends: SerialisedSends, index: number): SentMessage {
  return {
    id: sends.id[index] as number,
    sender: sends.sender[index] as number,
    n: sends.n[index] as number,
    outcome: outcomes[sends.outcome[index] as number] as Outcome,
    seq: sends.seq[index] as number,
    sentAt: sends.sentAt[index] as number,
    ackedAt: sends.ackedAt[index] as number,
  };
}
