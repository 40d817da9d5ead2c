import { assert } from "../../base/assert.ts";
import { isUuidV7, type Uuid } from "../../protocol/ids.ts";
import { isSendable } from "../../protocol/kinds.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError, type WireErrorCode } from "../../protocol/wire-errors.ts";
import type { Caller, DeliveryApi, MessageDraft } from "../api.ts";
import type { Lanes } from "./lanes.ts";
import { ConnectionGate } from "./send-gate.ts";

/** Sending: checks what a draft alone can tell, then hands it to the lane of its conversation in the order of the calls. */
export function createDelivery(lanes: Lanes): DeliveryApi {
  const conversationOf = (caller: Caller, gate: ConnectionGate, to: MessageDraft["to"]): Uuid =>
    "user" in to ? gate.directId(caller.userId, to.user) : to.conversation;
  return {
    createGate: () => new ConnectionGate(),
    send(caller, gate, draft) {
      assert(gate instanceof ConnectionGate, "a gate of this delivery");
      const { to, messageId } = draft;
      const conversationId = conversationOf(caller, gate, to);
      const wrong = checkDraft(draft);
      if (wrong !== undefined) {
        // The same draft was wrong before, so nothing that follows can overtake it.
        gate.returned(conversationId, messageId, ++lanes.context.tickets.last);
        return Promise.reject(wrong);
      }
      return lanes.send(conversationId, caller, gate, draft);
    },
    postpone(caller, gate, { to, messageId }) {
      assert(gate instanceof ConnectionGate, "a gate of this delivery");
      gate.failedAhead(conversationOf(caller, gate, to), messageId, ++lanes.context.tickets.last);
    },
    hearEachOther: (conversationId, one, other) => lanes.hearEachOther(conversationId, one, other),
  };
}

function checkDraft(draft: MessageDraft): WireError | undefined {
  const { kind, envelope, since, messageId, read, readFrom } = draft;
  if (!isSendable(kind)) return refusal("bad_request", `kind ${kind} is not for clients`);
  if (!isUuidV7(messageId)) return refusal("bad_request", "message_id: not a lower-case UUIDv7");
  if (!Number.isSafeInteger(since) || since < 0) return refusal("bad_request", "since: not a cursor");
  if (envelope.length > limits.envelopeBytesMax) return refusal("bad_envelope");
  if (!isSeq(read) || !isSeq(readFrom)) return refusal("bad_request", "read: not a run of seqs");
  return undefined;
}

function isSeq(value: number | undefined): boolean {
  return value === undefined || (Number.isSafeInteger(value) && value >= 1);
}

function refusal(code: WireErrorCode, detail?: string): WireError {
  return new WireError(code, detail === undefined ? {} : { detail });
}
