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
    const audience = await typingAudience(services, caller, conversationId);
    if (audience.userIds.length === 0 || !(await audience.mayHear())) return undefined;
    await services.typing.start(conversationId, caller.userId, services.clock.nowMs());
    // Again, since a block may have come while the store was asked. It costs nothing: the answer is remembered.
    if (!(await audience.mayHear())) return undefined;
    services.bus.deliver({
      userIds: audience.userIds,
      frame: { type: "TYPING", conversation_id: conversationId, user_id: caller.userId },
    });
    return undefined;
  },
};

interface Audience {
  readonly userIds: readonly Uuid[];
  mayHear(): Promise<boolean>;
}

const nobody: Audience = { userIds: [], mayHear: () => Promise.resolve(false) };

async function typingAudience({ core, lists }: RouteServices, caller: Caller, conversationId: Uuid): Promise<Audience> {
  const row = await lists.one(caller.userId, conversationId);
  if (row === undefined) throw new WireError("no_such_conversation");
  if (row.kind === "group") {
    const { members } = await core.groups.get(caller, conversationId);
    if (members.length > limits.membersDirectFanOutMax) return nobody;
    const userIds = members.map((member) => member.userId).filter((userId) => userId !== caller.userId);
    return { userIds, mayHear: () => Promise.resolve(true) };
  }
  const { peerId } = row;
  if (peerId === undefined || peerId === caller.userId) return nobody;
  // Whoever blocked the other hears nothing of them, and those who block do not show themselves either.
  const mayHear = (): Promise<boolean> => core.delivery.hearEachOther(conversationId, caller.userId, peerId);
  return { userIds: [peerId], mayHear };
}
