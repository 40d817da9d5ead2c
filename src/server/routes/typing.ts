import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller } from "../../core/api.ts";
import type { Route, RouteServices } from "./route.ts";

/** Pushed to the other members who are connected; nothing is kept beyond typingTtlMs. Large groups show no typing. */
export const typingRoute: Route<"TYPING"> = {
  rule: "typing",
  weight: 8,
  async run(services, { caller }, frame) {
    const conversationId = frame.conversation_id;
    const userIds = await typingAudience(services, caller, conversationId);
    if (userIds.length === 0) return undefined;
    await services.typing.start(conversationId, caller.userId, services.clock.nowMs());
    services.bus.deliver({
      userIds,
      frame: { type: "TYPING", conversation_id: conversationId, user_id: caller.userId },
    });
    return undefined;
  },
};

async function typingAudience(
  { core, lists, relations }: RouteServices,
  caller: Caller,
  conversationId: Uuid,
): Promise<readonly Uuid[]> {
  const row = await lists.one(caller.userId, conversationId);
  if (row === undefined) throw new WireError("no_such_conversation");
  if (row.kind === "group") {
    const { members } = await core.groups.get(caller, conversationId);
    if (members.length > limits.membersDirectFanOutMax) return [];
    return members.map((member) => member.userId).filter((userId) => userId !== caller.userId);
  }
  const peerId = row.peerId;
  if (peerId === undefined || peerId === caller.userId) return [];
  // Whoever blocked the other hears nothing of them, and those who block do not show themselves either.
  const [theirs, own] = await Promise.all([
    relations.between(peerId, caller.userId),
    relations.between(caller.userId, peerId),
  ]);
  return theirs.blocked || own.blocked ? [] : [peerId];
}
