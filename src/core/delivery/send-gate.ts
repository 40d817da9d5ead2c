import { limits } from "../../protocol/limits.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import type { SendGate } from "../api.ts";

interface FailedSend {
  readonly messageId: Uuid;
  readonly ticket: number;
}

/**
 * Keeps the order of what one connection sends to one conversation when a send fails for now: until that message comes
 * back, what was sent after it is refused, so that m3 never overtakes m2. Tickets say what "after" means: every send gets
 * the next one, and a draft with a lower ticket than the failed one was on its way before it and is not affected.
 *
 * States of a conversation: open (no entry) → failed (the earliest send that failed) → open when that message is taken
 * again. Bounded: a connection with failures in more than conversationsMax conversations at once is refused everything
 * else for the rest of its life, since forgetting one failure would break its order.
 */
export class ConnectionGate implements SendGate {
  readonly kind = "send-gate";
  #failed: Map<Uuid, FailedSend> | undefined;
  #saturated = false;
  #userId: Uuid | undefined;
  #directIds: Map<Uuid, Uuid> | undefined;

  static readonly conversationsMax = limits.draftsPerConnectionMax;

  refuses(conversationId: Uuid, messageId: Uuid, ticket: number): boolean {
    if (this.#failed === undefined) return false;
    const failed = this.#failed.get(conversationId);
    if (failed === undefined) return this.#saturated;
    return failed.messageId !== messageId && ticket > failed.ticket;
  }

  failed(conversationId: Uuid, messageId: Uuid, ticket: number): void {
    this.#failed ??= new Map();
    const earlier = this.#failed.get(conversationId);
    if (earlier !== undefined && earlier.ticket < ticket && earlier.messageId !== messageId) return;
    if (earlier === undefined && this.#failed.size >= ConnectionGate.conversationsMax) {
      this.#saturated = true;
      return;
    }
    this.#failed.set(conversationId, { messageId, ticket });
  }

  /** The message came back and was taken or refused for good. */
  returned(conversationId: Uuid, messageId: Uuid): void {
    if (this.#failed?.get(conversationId)?.messageId === messageId) this.#failed.delete(conversationId);
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
