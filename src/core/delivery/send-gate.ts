import { limits } from "../../protocol/limits.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import type { SendGate } from "../api.ts";

/** No message has this id. */
const nobody: Uuid = "";

interface FailedSend {
  readonly messageId: Uuid;
  readonly ticket: number;
  /** Of the last failure that this one stands for; absent = itself. */
  readonly lastTicket?: number;
}

interface Failures {
  /** What has to come back. */
  readonly earliest: FailedSend;
  /** Refused before they reached the lane, after `earliest`; in the order of their tickets. */
  readonly ahead: readonly FailedSend[];
}

/**
 * Keeps the order of what one connection sends to one conversation when a send fails for now: until that message comes
 * back, what was sent after it is refused, so that m3 never overtakes m2. Tickets say what "after" means: every send gets
 * the next one, and a draft with a lower ticket than the failed one was on its way before it and is not affected.
 *
 * A lane judges in the order of tickets. But what is refused before it reaches the lane (a rate limit, a full queue) fails at
 * once, while sends before and after it still wait to be judged. So a message that fails again keeps its first ticket, or what was sent between the two would pass;
 * and when the earliest failure comes back, with ticket t, failures ahead of t are what holds up the rest next. Those below t are obsolete:
 * everything below it was judged, and is sent again in order.
 *
 * States of a conversation: open (no entry) → failed (the earliest send that failed) → open, or failed by the next one, when that
 * message is taken again. Bounded: a connection with failures in more than conversationsMax conversations at once is refused everything
 * else for the rest of its life, since forgetting one failure would break its order. Of a conversation with more than aheadMax, those
 * beyond stand together without their ids: they are over when something earlier comes back after the last of them, and
 * hold up the conversation for good when it came back in between.
 */
export class ConnectionGate implements SendGate {
  readonly kind = "send-gate";
  #failed: Map<Uuid, Failures> | undefined;
  #saturated = false;
  #userId: Uuid | undefined;
  #directIds: Map<Uuid, Uuid> | undefined;

  static readonly conversationsMax = limits.draftsPerConnectionMax;
  static readonly aheadMax = 64;

  refuses(conversationId: Uuid, messageId: Uuid, ticket: number): boolean {
    if (this.#failed === undefined) return false;
    const failures = this.#failed.get(conversationId);
    if (failures === undefined) return this.#saturated;
    const { earliest } = failures;
    return earliest.messageId !== messageId && ticket > earliest.ticket;
  }

  /** In the lane, at its turn. */
  failed(conversationId: Uuid, messageId: Uuid, ticket: number): void {
    const failures = this.#failed?.get(conversationId);
    if (failures === undefined) this.#begin(conversationId, { messageId, ticket });
    else if (ticket < failures.earliest.ticket) {
      const ahead = [failures.earliest, ...failures.ahead];
      this.#failed?.set(conversationId, { earliest: { messageId, ticket }, ahead });
    }
  }

  /** Before it reached the lane; `ticket` is the newest there is. */
  failedAhead(conversationId: Uuid, messageId: Uuid, ticket: number): void {
    const failures = this.#failed?.get(conversationId);
    if (failures === undefined) return this.#begin(conversationId, { messageId, ticket });
    const { earliest, ahead } = failures;
    if (earliest.messageId === messageId) return;
    // The last place is for all that have none.
    const last = ahead.at(-1);
    if (last?.messageId === nobody) {
      this.#failed?.set(conversationId, { earliest, ahead: [...ahead.slice(0, -1), { ...last, lastTicket: ticket }] });
      return;
    }
    const next = { messageId: ahead.length < ConnectionGate.aheadMax ? messageId : nobody, ticket };
    this.#failed?.set(conversationId, { earliest, ahead: [...ahead, next] });
  }

  /** The attempt with this ticket was taken, is in the log by now, or was refused for good: the message need not come back. */
  returned(conversationId: Uuid, messageId: Uuid, ticket: number): void {
    const failures = this.#failed?.get(conversationId);
    if (failures === undefined) return;
    const others = failures.ahead.filter((each) => each.messageId !== messageId);
    if (failures.earliest.messageId !== messageId) {
      this.#failed?.set(conversationId, { earliest: failures.earliest, ahead: others });
      return;
    }
    const [earliest, ...ahead] = others.filter((each) => (each.lastTicket ?? each.ticket) > ticket);
    if (earliest === undefined) this.#failed?.delete(conversationId);
    else this.#failed?.set(conversationId, { earliest, ahead });
  }

  #begin(conversationId: Uuid, earliest: FailedSend): void {
    this.#failed ??= new Map();
    if (this.#failed.size >= ConnectionGate.conversationsMax) this.#saturated = true;
    else this.#failed.set(conversationId, { earliest, ahead: [] });
  }

  /** The conversation of the connection's user with `peerId`; remembered, since the hash costs more than the rest of a lookup. */
  directId(userId: Uuid, peerId: Uuid): Uuid {
    if (this.#userId !== undefined && this.#userId !== userId) return directConversationId(userId, peerId);
    this.#userId = userId;
    this.#directIds ??= new Map();
    let conversationId = this.#directIds.get(peerId);
    if (conversationId === undefined) {
      if (this.#directIds.size >= ConnectionGate.conversationsMax) this.#directIds.clear();
      conversationId = directConversationId(userId, peerId);
      this.#directIds.set(peerId, conversationId);
    }
    return conversationId;
  }
}
