import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { WireError, wireErrors, type WireErrorCode } from "../../protocol/wire-errors.ts";
import type { Caller, MessageDraft, SentMessage } from "../api.ts";
import type { LogRow } from "../model.ts";
import type { ConnectionGate } from "./send-gate.ts";

/**
 * One send between its call and its answer. Waits in a lane, is judged (perhaps several times, when the log moves under
 * it) and settled exactly once; the gate of its connection learns of every failure.
 */
export class PendingSend {
  readonly job = "send";
  readonly conversationId: Uuid;
  readonly caller: Caller;
  readonly gate: ConnectionGate;
  readonly draft: MessageDraft;
  /** Rank among all sends of this process, in the order they were called. */
  readonly ticket: number;
  /** Its id is proven absent from (since, provenTo]. Rows never change, so this only ever grows. */
  provenTo: number;
  /** An append with this message has an open outcome: it may or may not be in the log. */
  undecided = false;
  settled = false;
  /** The sender's list row was read for this send: a claim that is still refused stays refused. */
  watermarkRead = false;
  /** The media it refers to is kept for it. */
  mediaAttached = false;
  readonly #answer: Deferred<SentMessage> = createDeferred();

  constructor(conversationId: Uuid, caller: Caller, gate: ConnectionGate, draft: MessageDraft, ticket: number) {
    this.conversationId = conversationId;
    this.caller = caller;
    this.gate = gate;
    this.draft = draft;
    this.ticket = ticket;
    this.provenTo = draft.since;
  }

  /** The device that needs no push of this message, since the answer reaches it. */
  get answeredDevice(): Caller | undefined {
    return this.draft.echo === true ? undefined : this.caller;
  }

  get answer(): Promise<SentMessage> {
    return this.#answer.promise;
  }

  /** The message will be in the log unless its append fails: what was sent after it may stand in the same append. */
  taken(): void {
    this.gate.returned(this.conversationId, this.draft.messageId, this.ticket);
  }

  /** `row`: the row that stands in the log for it. */
  succeed(row: Pick<LogRow, "seq" | "sentAt" | "ucount" | "visibility">): void {
    this.settled = true;
    // Another attempt may have failed ahead of the lane while this one was written: nobody sends it a third time.
    this.gate.returned(this.conversationId, this.draft.messageId, this.ticket);
    const { seq, sentAt, ucount } = row;
    const sent = { conversationId: this.conversationId, seq, sentAt, ucount };
    this.#answer.resolve(row.visibility === 1 ? { ...sent, maxStatus: "sent" } : sent);
  }

  /** For good: `code` is not a temporary error. */
  refuse(code: WireErrorCode, detail?: string): void {
    this.settled = true;
    this.gate.returned(this.conversationId, this.draft.messageId, this.ticket);
    this.#answer.reject(new WireError(code, detail === undefined ? {} : { detail }));
  }

  /** For now: the same message may be sent again and has to come first. */
  fail(error: unknown): void {
    this.settled = true;
    this.gate.failed(this.conversationId, this.draft.messageId, this.ticket);
    this.#answer.reject(toTemporary(error, this.undecided));
  }

  /** The same, while others before it still wait. */
  failAhead(error: WireError): void {
    this.settled = true;
    this.gate.failedAhead(this.conversationId, this.draft.messageId, this.ticket);
    this.#answer.reject(error);
  }
}

/** Whatever went wrong on the way, told as an error that a retry may cure. */
function toTemporary(error: unknown, undecided: boolean): WireError {
  if (!(error instanceof WireError)) return new WireError("internal", { undecided, cause: error });
  if (error.undecided === undecided && error.temporary) return error;
  const code = wireErrors[error.code].temporary ? error.code : "store_unavailable";
  return new WireError(code, {
    undecided,
    cause: error,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
