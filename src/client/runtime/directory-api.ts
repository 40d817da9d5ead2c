import { z } from "zod";
import { timeField, uuidField, watermarkField } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { parseAnswer } from "./answer.ts";
import type { HttpRequest } from "./http.ts";

/** Users and groups over HTTP. Every call rejects with ApiError and nothing else. */
export type AuthorisedRequest = (request: Omit<HttpRequest, "accessToken">) => Promise<unknown>;

export interface Profile {
  readonly userId: Uuid;
  readonly handle: string;
  readonly displayName: string;
  readonly statusMessage: string | undefined;
}

export type GroupRole = "owner" | "admin" | "member";

export interface GroupInfo {
  readonly groupId: Uuid;
  readonly name: string;
  /** What a change of the group must name as the version that it saw. */
  readonly membership: number;
  readonly members: readonly { readonly userId: Uuid; readonly role: GroupRole; readonly joinedSeq: number }[];
}

const profileBody = z.object({
  user_id: uuidField,
  handle: z.string(),
  display_name: z.string(),
  status_message: z.string().optional(),
});

const groupBody = z.object({
  group_id: uuidField,
  name: z.string(),
  created_at: timeField,
  membership: watermarkField,
  members: z.array(
    z.object({ user_id: uuidField, role: z.enum(["owner", "admin", "member"]), joined_seq: watermarkField }),
  ),
});

/** Changes carry ids made by the caller, so that a repeated request is the same change. */
export class DirectoryApi {
  readonly #request: AuthorisedRequest;

  constructor(request: AuthorisedRequest) {
    this.#request = request;
  }

  async user(userId: Uuid): Promise<Profile> {
    return toProfile(await this.#request({ method: "GET", path: `/api/users/${userId}` }));
  }

  /** Rejects with `no_such_user`. */
  async userByHandle(handle: string): Promise<Profile> {
    const path = `/api/users/by-handle/${encodeURIComponent(handle)}`;
    return toProfile(await this.#request({ method: "GET", path }));
  }

  async createGroup(groupId: Uuid, messageId: Uuid, name: string, userIds: readonly Uuid[]): Promise<GroupInfo> {
    const body = { group_id: groupId, message_id: messageId, name, user_ids: userIds };
    return toGroup(await this.#request({ method: "POST", path: "/api/groups", body }));
  }

  async group(groupId: Uuid): Promise<GroupInfo> {
    return toGroup(await this.#request({ method: "GET", path: `/api/groups/${groupId}` }));
  }

  /** These four reject with `version_conflict` when the group has changed since `expectedVersion`. */
  async renameGroup(groupId: Uuid, messageId: Uuid, expectedVersion: number, name: string): Promise<GroupInfo> {
    const body = { message_id: messageId, expected_version: expectedVersion, name };
    return toGroup(await this.#request({ method: "PATCH", path: `/api/groups/${groupId}`, body }));
  }

  async addMembers(
    groupId: Uuid,
    messageId: Uuid,
    expectedVersion: number,
    userIds: readonly Uuid[],
  ): Promise<GroupInfo> {
    const body = { message_id: messageId, expected_version: expectedVersion, user_ids: userIds };
    return toGroup(await this.#request({ method: "PUT", path: `/api/groups/${groupId}/members`, body }));
  }

  /** Oneself = leave. */
  async removeMember(groupId: Uuid, messageId: Uuid, expectedVersion: number, userId: Uuid): Promise<GroupInfo> {
    const query = new URLSearchParams({ message_id: messageId, expected_version: String(expectedVersion) });
    const path = `/api/groups/${groupId}/members/${userId}?${query.toString()}`;
    return toGroup(await this.#request({ method: "DELETE", path }));
  }

  async setRoles(
    groupId: Uuid,
    messageId: Uuid,
    expectedVersion: number,
    userIds: readonly Uuid[],
    role: GroupRole,
  ): Promise<GroupInfo> {
    const body = { message_id: messageId, expected_version: expectedVersion, user_ids: userIds, role };
    return toGroup(await this.#request({ method: "PUT", path: `/api/groups/${groupId}/roles`, body }));
  }
}

function toProfile(answer: unknown): Profile {
  const body = parseAnswer(profileBody, answer);
  return {
    userId: body.user_id,
    handle: body.handle,
    displayName: body.display_name,
    statusMessage: body.status_message,
  };
}

function toGroup(answer: unknown): GroupInfo {
  const body = parseAnswer(groupBody, answer);
  return {
    groupId: body.group_id,
    name: body.name,
    membership: body.membership,
    members: body.members.map((member) => ({
      userId: member.user_id,
      role: member.role,
      joinedSeq: member.joined_seq,
    })),
  };
}
