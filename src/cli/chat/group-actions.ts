import { z } from "zod";
import { systemClock } from "../../base/clock.ts";
import { createSystemRandom } from "../../base/random.ts";
import { safeLine } from "../../base/safe-text.ts";
import { uuidField, watermarkField } from "../../protocol/fields.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { GroupInfo } from "../../client/runtime/directory-api.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { CliError } from "../cli-error.ts";
import type { AccountApi } from "./account-api.ts";
import { forEachOf } from "./for-each-of.ts";
import type { Names } from "./names.ts";
import { resolveChat, resolveUser, type Chat } from "./resolve-chat.ts";

/** A group as the commands about groups print it. */
export const groupDocument = z.object({
  group_id: uuidField,
  name: z.string(),
  membership: watermarkField,
  members: z.array(
    z.object({ user_id: uuidField, handle: z.string().optional(), role: z.enum(["owner", "admin", "member"]) }),
  ),
});

export type GroupDocument = z.infer<typeof groupDocument>;

const random = createSystemRandom();
const newId = (): Uuid => createUuidV7(systemClock.nowMs(), random);
const attemptsMax = 4;

/** What the commands and the line mode do with groups. Every method throws CliError and ApiError. */
export class GroupActions {
  readonly #api: AccountApi;
  readonly #names: Names;

  constructor(api: AccountApi, names: Names) {
    this.#api = api;
    this.#names = names;
  }

  /** The group that `to` names; people are no groups. */
  async find(to: string): Promise<Chat> {
    const chat = await resolveChat(this.#api, this.#names, to);
    if (chat.kind === "group") return chat;
    throw new CliError("usage", `${safeLine(chat.label)} is a person, not a group.`, {
      fix: "Name one of your groups.",
    });
  }

  async create(name: string, members: readonly string[]): Promise<GroupInfo> {
    const userIds = await this.#userIds(members);
    const groupId = newId();
    const messageId = newId();
    const make = (): Promise<GroupInfo> =>
      this.#api.directory.createGroup(
        groupId,
        messageId,
        checkName(name),
        userIds.filter((id) => id !== this.#ownId),
      );
    return this.#learn(await repeatUndecided(make));
  }

  async info(groupId: Uuid): Promise<GroupInfo> {
    return this.#learn(await this.#api.directory.group(groupId));
  }

  rename(groupId: Uuid, name: string): Promise<GroupInfo> {
    const checked = checkName(name);
    return this.#change(groupId, (messageId, version) =>
      this.#api.directory.renameGroup(groupId, messageId, version, checked),
    );
  }

  async add(groupId: Uuid, members: readonly string[]): Promise<GroupInfo> {
    const userIds = await this.#userIds(members);
    return this.#change(groupId, (messageId, version) =>
      this.#api.directory.addMembers(groupId, messageId, version, userIds),
    );
  }

  async remove(groupId: Uuid, members: readonly string[]): Promise<GroupInfo> {
    let group: GroupInfo | undefined;
    for (const userId of await this.#userIds(members)) {
      group = await this.#change(groupId, (messageId, version) =>
        this.#api.directory.removeMember(groupId, messageId, version, userId),
      );
    }
    return group ?? this.info(groupId);
  }

  async leave(groupId: Uuid): Promise<void> {
    await this.#change(groupId, (messageId, version) =>
      this.#api.directory.removeMember(groupId, messageId, version, this.#ownId),
    );
  }

  /** With the members' handles. */
  async describe(group: GroupInfo): Promise<GroupDocument> {
    const handles = new Map<Uuid, string>();
    await forEachOf(group.members, async ({ userId }) => {
      const handle = await this.#names.user(userId);
      if (handle !== undefined) handles.set(userId, handle);
    });
    const members = group.members.map(({ userId, role }) => {
      const handle = handles.get(userId);
      return { user_id: userId, ...(handle === undefined ? {} : { handle }), role };
    });
    return { group_id: group.groupId, name: group.name, membership: group.membership, members };
  }

  get #ownId(): Uuid {
    return this.#api.account.user_id;
  }

  /** With the version that the group has now; when somebody was faster, once more with the next. */
  async #change(groupId: Uuid, change: (messageId: Uuid, version: number) => Promise<GroupInfo>): Promise<GroupInfo> {
    for (let attempt = 1; ; attempt++) {
      const { membership } = await this.#api.directory.group(groupId);
      const messageId = newId();
      try {
        return this.#learn(await repeatUndecided(() => change(messageId, membership)));
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== "version_conflict" || attempt === attemptsMax) throw error;
      }
    }
  }

  async #userIds(members: readonly string[]): Promise<readonly Uuid[]> {
    const found = new Set<Uuid>();
    await forEachOf(members, async (who) => {
      found.add((await resolveUser(this.#api, this.#names, who)).userId);
    });
    return [...found];
  }

  #learn(group: GroupInfo): GroupInfo {
    this.#names.learnGroup(group.groupId, group.name);
    return group;
  }
}

/** A change whose answer was lost is asked for once more under the same id: that is the same change. */
async function repeatUndecided(request: () => Promise<GroupInfo>): Promise<GroupInfo> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof ApiError && error.temporary) return request();
    throw error;
  }
}

function checkName(name: string): string {
  const trimmed = name.trim();
  if (trimmed !== "" && trimmed.length <= limits.groupNameLengthMax) return trimmed;
  throw new CliError("usage", `A group's name has 1 to ${limits.groupNameLengthMax} characters.`, {
    fix: "Choose another.",
  });
}

/** A group in words: its name, then a line a member. */
export function formatGroup(group: GroupDocument, online?: ReadonlySet<Uuid>): string {
  const lines = group.members.map(({ user_id, handle, role }) => {
    const name = handle === undefined ? user_id : `@${safeLine(handle)}`;
    const notes = [...(role === "member" ? [] : [role]), ...(online?.has(user_id) === true ? ["online"] : [])];
    return `  ${name}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`;
  });
  return [`${safeLine(group.name)}, ${group.members.length} members, id ${group.group_id}`, ...lines].join("\n");
}
