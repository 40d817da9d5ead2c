import { safeLine } from "../../base/safe-text.ts";
import { directConversationId, isUuid, type Uuid } from "../../protocol/ids.ts";
import type { Profile } from "../../client/runtime/directory-api.ts";
import type { ConversationView } from "../../client/machine/types.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { CliError } from "../cli-error.ts";
import type { AccountApi, Conversation } from "./account-api.ts";
import { forEachOf } from "./for-each-of.ts";
import type { Names } from "./names.ts";

/** Where messages go: a person, or a group of the own chats. */
export interface Chat {
  readonly conversationId: Uuid;
  readonly kind: "direct" | "group";
  readonly to: { readonly user: Uuid } | { readonly conversation: Uuid };
  /** `@handle` or the group's name, as it is; for people only after safeLine. */
  readonly label: string;
}

export const conversationsMax = 1_000;

/**
 * What `<to>` means: @handle, a handle, a user id, a group id, the id of a conversation, or the name of one of the own
 * groups. Throws CliError that lists what fits when several do, and ApiError when the server does not answer.
 */
export async function resolveChat(api: AccountApi, names: Names, to: string): Promise<Chat> {
  if (to.startsWith("@")) return directChat(api, names, await profile(api, to.slice(1)));
  if (isUuid(to)) return chatById(api, names, to);
  const [person, groups] = await Promise.all([
    isHandleLike(to) ? findProfile(api, to) : Promise.resolve(undefined),
    groupsNamed(api, names, to),
  ]);
  const fits = [...(person === undefined ? [] : [directChat(api, names, person)]), ...groups];
  const [only] = fits;
  if (only !== undefined && fits.length === 1) return only;
  if (only === undefined) throw notFound(to);
  const list = fits.map((chat) =>
    chat.kind === "direct" ? chat.label : `${safeLine(chat.label)} = ${chat.conversationId}`,
  );
  throw new CliError("usage", `${safeLine(to)} may mean ${fits.length} chats.`, {
    fix: `Say which: ${list.join(", ")}.`,
  });
}

/** The person that `who` (@handle, handle or id) names. Throws CliError. */
export async function resolveUser(api: AccountApi, names: Names, who: string): Promise<Profile> {
  const handle = who.replace(/^@/, "");
  const found = isUuid(handle) ? await orUndefined(api.directory.user(handle)) : await findProfile(api, handle);
  if (found === undefined) throw notFound(who);
  names.learnUser(found.userId, found.handle);
  return found;
}

export function groupChat(groupId: Uuid, name: string): Chat {
  return { conversationId: groupId, kind: "group", to: { conversation: groupId }, label: name };
}

export function directChat(api: AccountApi, names: Names, person: Pick<Profile, "userId" | "handle">): Chat {
  const { userId, handle } = person;
  names.learnUser(userId, handle);
  const conversationId = directConversationId(api.account.user_id, userId);
  return { conversationId, kind: "direct", to: { user: userId }, label: `@${handle}` };
}

/** A chat of the own list, with the name that it has now. */
export async function chatOf(names: Names, conversation: Omit<Conversation, "registers">): Promise<Chat> {
  const { conversationId, kind, peerId } = conversation;
  if (kind === "direct" && peerId !== undefined) {
    const handle = await names.user(peerId);
    return { conversationId, kind, to: { user: peerId }, label: handle === undefined ? peerId : `@${handle}` };
  }
  return groupChat(conversationId, (await names.group(conversationId)) ?? conversationId);
}

/** A chat of this device by its name or id, without asking the server; undefined if none or several fit. */
export async function findLocally(
  views: readonly ConversationView[],
  names: Names,
  to: string,
): Promise<Chat | undefined> {
  const wanted = to.toLowerCase();
  const found: Chat[] = [];
  for (const { conversationId, kind, peerId } of views) {
    if (kind === undefined) continue;
    const chat = await chatOf(names, { conversationId, kind, peerId });
    const words = [chat.label.toLowerCase(), conversationId, peerId ?? ""];
    if (words.includes(wanted) || (kind === "direct" && words.includes(`@${wanted}`))) found.push(chat);
  }
  return found.length === 1 ? found[0] : undefined;
}

async function chatById(api: AccountApi, names: Names, id: Uuid): Promise<Chat> {
  const own = (await api.conversations(conversationsMax)).find(({ conversationId }) => conversationId === id);
  if (own !== undefined) return chatOf(names, own);
  const person = await orUndefined(api.directory.user(id));
  if (person === undefined) throw notFound(id);
  return directChat(api, names, person);
}

async function groupsNamed(api: AccountApi, names: Names, name: string): Promise<readonly Chat[]> {
  const wanted = name.toLowerCase();
  const groups = (await api.conversations(conversationsMax)).filter(({ kind }) => kind === "group");
  const found: Chat[] = [];
  await forEachOf(groups, async ({ conversationId }) => {
    // Asked anew: somebody may have renamed it.
    const group = await orUndefined(api.directory.group(conversationId));
    if (group === undefined) return;
    names.learnGroup(group.groupId, group.name);
    if (group.name.toLowerCase() === wanted) found.push(groupChat(group.groupId, group.name));
  });
  return found;
}

function isHandleLike(text: string): boolean {
  return /^[+\w.-]+$/.test(text);
}

async function profile(api: AccountApi, handle: string): Promise<Profile> {
  const found = isHandleLike(handle) ? await findProfile(api, handle) : undefined;
  if (found === undefined) throw notFound(`@${handle}`);
  return found;
}

function findProfile(api: AccountApi, handle: string): Promise<Profile | undefined> {
  return orUndefined(api.directory.userByHandle(handle));
}

/** Undefined for what the server does not have, or does not show to this account. */
async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && !error.temporary && (error.status === 404 || error.status === 403))
      return undefined;
    if (error instanceof ApiError && error.code === "bad_request") return undefined;
    throw error;
  }
}

function notFound(to: string): CliError {
  return new CliError("failed", `There is no user and no group of yours called ${safeLine(to)}.`, {
    fix: "Check the spelling; `msgr chat chats` lists your chats.",
  });
}
