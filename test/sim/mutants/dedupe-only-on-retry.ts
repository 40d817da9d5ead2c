import { directConversationId, type Uuid } from "../../../src/protocol/ids.ts";
import type { Mutant } from "./mutant.ts";

/**
 * The server looks for an earlier copy of a message only when the same connection sends it again: a message that comes
 * again by another connection is taken for new.
 */
export const dedupeOnlyOnRetry: Mutant = {
  name: "dedupe-only-on-retry",
  core(core, { log }) {
    const seen = new WeakMap<object, Set<Uuid>>();
    return {
      ...core,
      delivery: {
        ...core.delivery,
        send(caller, gate, draft) {
          const ids = seen.get(gate) ?? new Set();
          seen.set(gate, ids);
          const isRetry = ids.has(draft.messageId);
          ids.add(draft.messageId);
          const { to } = draft;
          const conversationId = "user" in to ? directConversationId(caller.userId, to.user) : to.conversation;
          const since = isRetry ? draft.since : (log.headOf(conversationId)?.head ?? 0);
          return core.delivery.send(caller, gate, { ...draft, since });
        },
      },
    };
  },
};
