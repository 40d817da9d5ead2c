import type { Typing } from "../../core/ports/presence.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { RecentMap } from "./recent-map.ts";

interface Typist {
  readonly userId: Uuid;
  readonly at: number;
}

/**
 * Who types where, in this one process. Entries end by being too old when looked at.
 *
 * @param options.conversationsMax conversations remembered; beyond it the longest quiet are forgotten.
 */
export function createMemoryTyping(
  options: { readonly conversationsMax?: number; readonly typingTtlMs?: number } = {},
): Typing {
  const typingTtlMs = options.typingTtlMs ?? limits.typingTtlMs;
  const conversations = new RecentMap<readonly Typist[]>(options.conversationsMax ?? 100_000);

  const typists = (conversationId: Uuid, at: number): readonly Typist[] =>
    (conversations.get(conversationId) ?? []).filter((typist) => at - typist.at < typingTtlMs);

  return {
    async start(conversationId, userId, at) {
      const others = typists(conversationId, at).filter((typist) => typist.userId !== userId);
      conversations.set(
        conversationId,
        [...others.slice(1 - limits.membersPerGroupMax), { userId, at }],
        at,
        typingTtlMs,
      );
    },

    async list(conversationId, at) {
      return typists(conversationId, at).map((typist) => typist.userId);
    },
  };
}
