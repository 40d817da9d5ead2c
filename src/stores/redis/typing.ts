import type { Typing } from "../../core/ports/presence.ts";
import { limits } from "../../protocol/limits.ts";
import type { RedisClient } from "./connect.ts";
import { scripts } from "./scripts.ts";

/** Who types where, by the clock of Redis; the caller's times are not used. */
export function createRedisTyping(redis: RedisClient, options: { readonly typingTtlMs?: number } = {}): Typing {
  const typingTtlMs = options.typingTtlMs ?? limits.typingTtlMs;
  return {
    async start(conversationId, userId) {
      await redis.run(
        scripts.typingStart,
        [redis.keys.typing(conversationId)],
        [userId, typingTtlMs, limits.membersPerGroupMax],
      );
    },

    async list(conversationId) {
      return (await redis.run(scripts.typingList, [redis.keys.typing(conversationId)], [])) as string[];
    },
  };
}
