import { z } from "zod";
import { timeField, uuidField } from "../../../protocol/fields.ts";
import { limits } from "../../../protocol/limits.ts";
import { WireError } from "../../../protocol/wire-errors.ts";
import { idParams, profileBody, profileToBody, visibleText } from "../bodies.ts";
import { endpoint } from "../endpoint.ts";

export const readUser = endpoint(
  {
    method: "GET",
    url: "/api/users/:id",
    summary: "A profile, as the caller may see it",
    params: idParams,
    status: 200,
    answer: profileBody,
  },
  async ({ core }, caller, { params }) => profileToBody(await core.people.profile(caller, params.id)),
);

export const readUserByHandle = endpoint(
  {
    method: "GET",
    url: "/api/users/by-handle/:handle",
    summary: "A profile by its handle, as the caller may see it",
    params: z.object({ handle: z.string().max(limits.handleLengthMax) }),
    status: 200,
    answer: profileBody,
  },
  async ({ core }, caller, { params }) => profileToBody(await core.people.profileByHandle(caller, params.handle)),
);

export const listContacts = endpoint(
  {
    method: "GET",
    url: "/api/contacts",
    summary: "The caller's contacts",
    status: 200,
    answer: z.object({ contacts: z.array(z.object({ user_id: uuidField, name: z.string() })) }),
  },
  async ({ relations }, caller) => ({
    contacts: (await relations.contacts(caller.userId)).map((contact) => ({
      user_id: contact.userId,
      name: contact.name,
    })),
  }),
);

export const putContact = endpoint(
  {
    method: "PUT",
    url: "/api/contacts/:id",
    summary: "Add a contact or rename it",
    params: idParams,
    body: z.object({ name: visibleText(limits.displayNameLengthMax).default("") }),
    status: 204,
  },
  async ({ users, relations, presenceChanged }, caller, { params, body }) => {
    if ((await users.byId(params.id)) === undefined) throw new WireError("no_such_user");
    if (!(await relations.putContact(caller.userId, { userId: params.id, name: body.name })))
      throw new WireError("too_many");
    presenceChanged(caller.userId);
    return undefined;
  },
);

export const deleteContact = endpoint(
  { method: "DELETE", url: "/api/contacts/:id", summary: "Remove a contact", params: idParams, status: 204 },
  async ({ relations, presenceChanged }, caller, { params }) => {
    await relations.putContact(caller.userId, { remove: params.id });
    presenceChanged(caller.userId);
    return undefined;
  },
);

export const listBlocks = endpoint(
  {
    method: "GET",
    url: "/api/blocks",
    summary: "Whom the caller blocks",
    status: 200,
    answer: z.object({ blocks: z.array(uuidField) }),
  },
  async ({ relations }, caller) => ({ blocks: [...(await relations.blocks(caller.userId))] }),
);

export const putBlock = endpoint(
  { method: "PUT", url: "/api/blocks/:id", summary: "Block a user", params: idParams, status: 204 },
  async ({ core }, caller, { params }) => {
    await core.people.block(caller, params.id, true);
    return undefined;
  },
);

export const deleteBlock = endpoint(
  { method: "DELETE", url: "/api/blocks/:id", summary: "Unblock a user", params: idParams, status: 204 },
  async ({ core }, caller, { params }) => {
    await core.people.block(caller, params.id, false);
    return undefined;
  },
);

export const readPresence = endpoint(
  {
    method: "GET",
    url: "/api/presence",
    rule: "watch",
    summary: "Who is online, as far as their settings tell the caller",
    query: z.object({
      ids: z
        .string()
        .transform((text) => text.split(","))
        .pipe(z.array(uuidField).min(1).max(limits.watchedUsersMax)),
    }),
    status: 200,
    answer: z.object({
      presence: z.array(z.object({ user_id: uuidField, online: z.boolean(), last_seen: timeField.optional() })),
    }),
  },
  async ({ core, presence, clock }, caller, { query }) => {
    const visible = await core.people.mayWatch(caller, query.ids);
    const states = await presence.lookup(query.ids, clock.nowMs());
    return {
      presence: query.ids.map((id, index) => {
        const state = states[index];
        if (state === undefined || !visible.has(id)) return { user_id: id, online: false };
        return { user_id: id, online: state.online, ...(state.lastSeenAt > 0 ? { last_seen: state.lastSeenAt } : {}) };
      }),
    };
  },
);
