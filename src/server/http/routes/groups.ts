import { z } from "zod";
import type { GroupRequest } from "../../../core/api.ts";
import { uuidField, uuidV7Field, watermarkField } from "../../../protocol/fields.ts";
import { limits } from "../../../protocol/limits.ts";
import { groupBody, groupToBody, idParams, queryNumber, roleField, userIdsField, nameField } from "../bodies.ts";
import type { ApiCaller } from "../caller.ts";
import { endpoint } from "../endpoint.ts";
import type { ApiServices } from "../services.ts";

const change = { message_id: uuidV7Field, expected_version: watermarkField };
const groupNameField = nameField(limits.groupNameLengthMax);

async function changed(
  { core }: ApiServices,
  caller: ApiCaller,
  groupId: string,
  body: { readonly message_id: string; readonly expected_version: number },
  request: GroupRequest,
): Promise<z.infer<typeof groupBody>> {
  return groupToBody(await core.groups.change(caller, groupId, body.message_id, body.expected_version, request));
}

export const createGroup = endpoint(
  {
    method: "POST",
    url: "/api/groups",
    rule: "groupCreate",
    summary: "Create a group; the caller becomes its owner. Idempotent by group_id",
    body: z.object({
      group_id: uuidV7Field,
      message_id: uuidV7Field,
      name: groupNameField,
      user_ids: z.array(uuidField),
    }),
    status: 201,
    answer: groupBody,
  },
  (services, caller, { body }) =>
    changed(
      services,
      caller,
      body.group_id,
      { message_id: body.message_id, expected_version: 0 },
      { kind: "create", name: body.name, userIds: body.user_ids },
    ),
);

export const readGroup = endpoint(
  {
    method: "GET",
    url: "/api/groups/:id",
    summary: "A group of which the caller is a member",
    params: idParams,
    status: 200,
    answer: groupBody,
  },
  async ({ core }, caller, { params }) => groupToBody(await core.groups.get(caller, params.id)),
);

export const renameGroup = endpoint(
  {
    method: "PATCH",
    url: "/api/groups/:id",
    summary: "Rename a group",
    params: idParams,
    body: z.object({ ...change, name: groupNameField }),
    status: 200,
    answer: groupBody,
  },
  (services, caller, { params, body }) =>
    changed(services, caller, params.id, body, { kind: "rename", name: body.name }),
);

export const addGroupMembers = endpoint(
  {
    method: "PUT",
    url: "/api/groups/:id/members",
    summary: "Add members",
    params: idParams,
    body: z.object({ ...change, user_ids: userIdsField }),
    status: 200,
    answer: groupBody,
  },
  (services, caller, { params, body }) =>
    changed(services, caller, params.id, body, { kind: "add", userIds: body.user_ids }),
);

export const removeGroupMember = endpoint(
  {
    method: "DELETE",
    url: "/api/groups/:id/members/:user",
    summary: "Remove a member; oneself = leave",
    params: z.object({ id: uuidField, user: uuidField }),
    query: z.object({ message_id: uuidV7Field, expected_version: queryNumber(watermarkField) }),
    status: 200,
    answer: groupBody,
  },
  (services, caller, { params, query }) =>
    changed(
      services,
      caller,
      params.id,
      query,
      params.user === caller.userId ? { kind: "leave" } : { kind: "remove", userIds: [params.user] },
    ),
);

export const setGroupRoles = endpoint(
  {
    method: "PUT",
    url: "/api/groups/:id/roles",
    summary: "Give members a role",
    params: idParams,
    body: z.object({ ...change, user_ids: userIdsField, role: roleField }),
    status: 200,
    answer: groupBody,
  },
  (services, caller, { params, body }) =>
    changed(services, caller, params.id, body, { kind: "role", userIds: body.user_ids, role: body.role }),
);
