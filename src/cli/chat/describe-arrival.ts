import { directConversationId } from "../../protocol/ids.ts";
import type { ConversationView } from "../../client/machine/types.ts";
import type { MessageContext } from "./message-document.ts";
import type { ArrivedMessage, DeviceSession } from "./device-session.ts";
import type { Names } from "./names.ts";

/** In which chat a message that arrived stands, with the chat's name. */
export async function contextOf(
  session: DeviceSession,
  names: Names,
  { conversationId, row }: ArrivedMessage,
): Promise<MessageContext> {
  const view = session.client.conversation(conversationId);
  const ownId = session.client.userId;
  const isDirect = view?.kind === "direct" || directConversationId(ownId, row.sender.user) === conversationId;
  const label = isDirect
    ? await directLabel(names, view, ownId, row.sender.user)
    : await groupLabelOf(names, view, conversationId);
  return { names, ownId, chat: { conversationId, kind: isDirect ? "direct" : "group", label } };
}

async function directLabel(
  names: Names,
  view: ConversationView | undefined,
  ownId: string,
  sender: string,
): Promise<string> {
  const peerId = view?.peerId ?? (sender === ownId ? undefined : sender);
  if (peerId === undefined) return "?";
  const handle = await names.user(peerId);
  return handle === undefined ? peerId : `@${handle}`;
}

async function groupLabelOf(names: Names, view: ConversationView | undefined, conversationId: string): Promise<string> {
  // The pushed name is newer than a remembered one.
  if (view?.name !== undefined) names.learnGroup(conversationId, view.name);
  return (await names.group(conversationId)) ?? conversationId;
}
