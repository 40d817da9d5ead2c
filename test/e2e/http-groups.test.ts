import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, refused, type Answer, type Body } from "../helpers/api.ts";
import { messageTo, newMessageId, RawClient } from "../helpers/raw-client.ts";
import { startServer, temporaryFolder, type ServerProcess, type TestUser } from "../helpers/server-process.ts";

const folder = temporaryFolder();
let server: ServerProcess;

beforeAll(async () => {
  server = await startServer(`${folder.path}/data`);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

const idsOf = (users: readonly TestUser[]): string[] => users.map(({ userId }) => userId);

const create = (owner: TestUser, members: readonly TestUser[], fields: object = {}): Promise<Answer> => {
  const body = { group_id: newMessageId(), message_id: newMessageId(), name: "Hiking", user_ids: idsOf(members) };
  return api(server, "POST /api/groups", { token: owner.token, body: { ...body, ...fields } });
};
const read = (user: TestUser, groupId: string) =>
  api(server, "GET /api/groups/:id", { token: user.token, params: { id: groupId } });

interface Change {
  readonly groupId: string;
  readonly version: number;
  readonly messageId?: string;
}
const named = ({ version, messageId }: Change) => ({
  message_id: messageId ?? newMessageId(),
  expected_version: version,
});
const rename = (user: TestUser, change: Change, name = "Biking") =>
  api(server, "PATCH /api/groups/:id", {
    token: user.token,
    params: { id: change.groupId },
    body: { ...named(change), name },
  });
const add = (user: TestUser, change: Change, users: readonly TestUser[]) =>
  api(server, "PUT /api/groups/:id/members", {
    token: user.token,
    params: { id: change.groupId },
    body: { ...named(change), user_ids: idsOf(users) },
  });
const remove = (user: TestUser, change: Change, who: TestUser) =>
  api(server, "DELETE /api/groups/:id/members/:user", {
    token: user.token,
    params: { id: change.groupId, user: who.userId },
    query: named(change),
  });
const setRole = (user: TestUser, change: Change, users: readonly TestUser[], role: string) =>
  api(server, "PUT /api/groups/:id/roles", {
    token: user.token,
    params: { id: change.groupId },
    body: { ...named(change), user_ids: idsOf(users), role },
  });

const roleOf = (body: Body, user: TestUser): unknown =>
  body.members.find((member) => member.user_id === user.userId)?.["role"];

/** Owner, admin, member and one from outside. */
async function staffed() {
  const users = (await server.createUsers(4)) as unknown as [TestUser, TestUser, TestUser, TestUser];
  const [owner, admin, member, outsider] = users;
  const made = (await create(owner, [admin, member])).body;
  const groupId = made["group_id"] as string;
  const { membership: version } = (await setRole(owner, { groupId, version: made.membership }, [admin], "admin")).body;
  return { owner, admin, member, outsider, groupId, version };
}

describe("creating a group", () => {
  test("makes the caller its owner and tells the members", async () => {
    const [owner, member] = (await server.createUsers(2)) as [TestUser, TestUser];
    await using client = await RawClient.greet(server.wsUrl, member);
    const made = await create(owner, [member, owner, member]);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: "Hiking", creator_id: owner.userId, membership: 1 });
    expect(made.body.members).toHaveLength(2);
    expect([roleOf(made.body, owner), roleOf(made.body, member)]).toEqual(["owner", "member"]);
    const told = await client.expect((frame) => frame.type === "CONVERSATION_UPDATE");
    expect(told).toMatchObject({ conversation_id: made.body["group_id"], change: "created", name: "Hiking" });
    expect((await read(member, made.body["group_id"] as string)).body).toEqual(made.body);
  });

  test("twice under one id is one group; an id of somebody else is refused", async () => {
    const [owner, other] = (await server.createUsers(2)) as [TestUser, TestUser];
    const group_id = newMessageId();
    const message_id = newMessageId();
    const first = await create(owner, [], { group_id, message_id });
    expect((await create(owner, [], { group_id, message_id })).body).toEqual(first.body);
    expect((await create(owner, [other], { group_id, name: "Another" })).body).toEqual(first.body);
    expect(await create(other, [], { group_id })).toEqual(refused("id_conflict"));
  });

  test("at the same moment from two requests is one group", async () => {
    const [owner, member] = (await server.createUsers(2)) as [TestUser, TestUser];
    const ids = { group_id: newMessageId(), message_id: newMessageId() };
    const answers = await Promise.all([1, 2, 3].map(() => create(owner, [member], ids)));
    for (const { body } of answers) expect(body).toEqual(answers[0]?.body);
    expect(answers[0]?.body.membership).toBe(1);
  });

  test.each<[string, object]>([
    ["a group_id that is no UUIDv7", { group_id: "2f6f1c3e-9a54-8d21-a1b0-5c6d7e8f9a0b" }],
    ["a message_id that is no UUIDv7", { message_id: "x" }],
    ["an empty name", { name: "" }],
    ["a name of spaces", { name: "   " }],
    ["a long name", { name: "x".repeat(101) }],
    ["members that are no ids", { user_ids: ["bob"] }],
    ["members that are no list", { user_ids: "bob" }],
  ])("with %s is refused", async (_what, fields) => {
    const [owner] = (await server.createUsers(1)) as [TestUser];
    expect(await create(owner, [], fields)).toEqual(refused("bad_request"));
  });

  test("with somebody who does not exist, or does not let the caller, is refused as a whole", async () => {
    const [owner, shy, blocker] = (await server.createUsers(3)) as [TestUser, TestUser, TestUser];
    const group_id = newMessageId();
    expect(await create(owner, [], { group_id, user_ids: [newMessageId()] })).toEqual(refused("no_such_user"));
    await api(server, "PATCH /api/me/settings", { token: shy.token, body: { groups: "contacts" } });
    expect(await create(owner, [shy], { group_id })).toEqual(refused("privacy_refused"));
    await api(server, "PUT /api/blocks/:id", { token: blocker.token, params: { id: owner.userId } });
    expect(await create(owner, [blocker], { group_id })).toEqual(refused("privacy_refused"));
    expect(await read(owner, group_id)).toEqual(refused("no_such_conversation"));
    await api(server, "PUT /api/contacts/:id", { token: shy.token, params: { id: owner.userId } });
    expect((await create(owner, [shy], { group_id })).status).toBe(201);
  });

  test("is limited, and says how long to wait", async () => {
    const [owner] = (await server.createUsers(1)) as [TestUser];
    await server.admin("PUT", "/admin/limits", { preset: "default" });
    try {
      for (let count = 0; count < 10; count++) expect((await create(owner, [])).status).toBe(201);
      expect(await create(owner, [])).toEqual(refused("rate_limited"));
    } finally {
      await server.admin("PUT", "/admin/limits", { preset: "off" });
    }
  });
});

describe("the size of a group", () => {
  test("is 1,024 at most, when it is made and when it grows", async () => {
    const users = await server.createUsers(1_026);
    const [owner, first, ...others] = users as [TestUser, TestUser, ...TestUser[]];
    expect(await create(owner, others)).toEqual(refused("too_many_members"));
    const many = [...idsOf(users), ...Array.from({ length: 100 }, newMessageId)];
    expect(await create(owner, [], { user_ids: many })).toEqual(refused("too_many_members"));
    const made = await create(owner, others.slice(0, 1_022));
    expect(made.body.members).toHaveLength(1_023);
    const groupId = made.body["group_id"] as string;
    const full = await add(owner, { groupId, version: 1 }, [first]);
    expect(full.body.members).toHaveLength(1_024);
    const over = others.slice(1_022, 1_023);
    expect(await add(owner, { groupId, version: 2 }, over)).toEqual(refused("too_many_members"));
    await using client = await RawClient.greet(server.wsUrl, first);
    const message = { ...messageTo(owner.userId, "to all", 2), to: { conversation: groupId } };
    expect(await client.ask(message)).toMatchObject({ type: "ACK", seq: 3 });
  });
});

describe("reading a group", () => {
  test("is for members", async () => {
    const { member, outsider, groupId } = await staffed();
    expect((await read(member, groupId)).status).toBe(200);
    expect(await read(outsider, groupId)).toEqual(refused("not_a_member"));
    expect(await read(member, newMessageId())).toEqual(refused("no_such_conversation"));
  });
});

describe("who may do what", () => {
  type Role = "owner" | "admin" | "member" | "outsider";
  type Group = Awaited<ReturnType<typeof staffed>>;
  const roles: readonly Role[] = ["owner", "admin", "member", "outsider"];
  const table: readonly (readonly [string, (group: Group, actor: TestUser) => Promise<Answer>, readonly Role[]])[] = [
    ["rename", (group, actor) => rename(actor, group), ["owner", "admin"]],
    ["add", (group, actor) => add(actor, group, [group.outsider]), ["owner", "admin"]],
    ["remove a member", (group, actor) => remove(actor, group, group.member), ["owner", "admin", "member"]],
    ["remove an admin", (group, actor) => remove(actor, group, group.admin), ["owner", "admin"]],
    ["remove an owner", (group, actor) => remove(actor, group, group.owner), ["owner"]],
    ["give a role", (group, actor) => setRole(actor, group, [group.member], "admin"), ["owner"]],
  ];
  const cells = table.flatMap(([what, act, allowed]) =>
    roles.map((role) => [role, allowed.includes(role) ? "may" : "may not", what, act] as const),
  );

  // One who removes oneself leaves, and everybody may.
  test.each(cells)("%s %s %s", async (role, verdict, _what, act) => {
    const group = await staffed();
    const answer = await act(group, group[role]);
    const refusal = role === "outsider" ? "not_a_member" : "forbidden";
    expect(answer.body["code"]).toBe(verdict === "may" ? undefined : refusal);
    expect((await read(group.owner, group.groupId)).body.membership === group.version).toBe(verdict === "may not");
  });

  test("a group keeps an owner", async () => {
    const group = await staffed();
    expect(await setRole(group.owner, group, [group.owner], "member")).toEqual(refused("forbidden"));
  });
});

describe("changing a group", () => {
  test("does what it says and moves the version", async () => {
    const { owner, admin, member, outsider, groupId, version } = await staffed();
    const renamed = await rename(owner, { groupId, version }, "Biking");
    expect(renamed.body).toMatchObject({ name: "Biking", membership: version + 1 });
    const added = await add(admin, { groupId, version: version + 1 }, [outsider]);
    expect(roleOf(added.body, outsider)).toBe("member");
    const promoted = await setRole(owner, { groupId, version: version + 2 }, [outsider, member], "admin");
    expect([roleOf(promoted.body, outsider), roleOf(promoted.body, member)]).toEqual(["admin", "admin"]);
    const removed = await remove(owner, { groupId, version: version + 3 }, outsider);
    expect(roleOf(removed.body, outsider)).toBeUndefined();
    expect(removed.body.membership).toBe(version + 4);
  });

  test("that changes nothing keeps the version", async () => {
    const { owner, member, outsider, groupId, version } = await staffed();
    const same = { groupId, version };
    const answers = [
      await rename(owner, same, "Hiking"),
      await add(owner, same, [member]),
      await remove(owner, same, outsider),
      await setRole(owner, same, [member], "member"),
    ];
    expect(answers.map(({ status, body }) => [status, body.membership])).toEqual(answers.map(() => [200, version]));
  });

  test("at a version that passed is a conflict; the same change again is not", async () => {
    const { owner, groupId, version } = await staffed();
    const change = { groupId, version, messageId: newMessageId() };
    const first = await rename(owner, change);
    expect((await rename(owner, change)).body).toEqual(first.body);
    expect(await rename(owner, { groupId, version })).toEqual(refused("version_conflict"));
    expect(await rename(owner, { groupId, version: version + 9 })).toEqual(refused("version_conflict"));
  });

  test("under a message_id of somebody else is refused", async () => {
    const { owner, admin, groupId, version } = await staffed();
    const messageId = newMessageId();
    await rename(owner, { groupId, version, messageId });
    expect(await rename(admin, { groupId, version, messageId }, "Mine")).toEqual(refused("id_conflict"));
  });

  test("of a group that is not there, with fields that are wrong, or with people who cannot be added", async () => {
    const { owner, outsider, groupId, version } = await staffed();
    expect(await rename(owner, { groupId: newMessageId(), version: 1 })).toEqual(refused("no_such_conversation"));
    expect(await rename(owner, { groupId, version: -1 })).toEqual(refused("bad_request"));
    expect(await rename(owner, { groupId, version, messageId: "x" })).toEqual(refused("bad_request"));
    expect(await rename(owner, { groupId, version }, "")).toEqual(refused("bad_request"));
    expect(await add(owner, { groupId, version }, [])).toEqual(refused("bad_request"));
    const nobody = { ...outsider, userId: newMessageId() };
    expect(await add(owner, { groupId, version }, [nobody])).toEqual(refused("no_such_user"));
    await api(server, "PATCH /api/me/settings", { token: outsider.token, body: { groups: "nobody" } });
    expect(await add(owner, { groupId, version }, [outsider])).toEqual(refused("privacy_refused"));
    expect(await setRole(owner, { groupId, version }, [outsider], "admin")).toEqual(refused("not_a_member"));
    expect(await setRole(owner, { groupId, version }, [owner], "king")).toEqual(refused("bad_request"));
  });

  test("the last owner who leaves is followed by the admin; one who left may ask again and hear that it worked", async () => {
    const { owner, admin, groupId, version } = await staffed();
    const change = { groupId, version, messageId: newMessageId() };
    const left = await remove(owner, change, owner);
    expect([roleOf(left.body, owner), roleOf(left.body, admin)]).toEqual([undefined, "owner"]);
    expect((await remove(owner, change, owner)).status).toBe(200);
    expect(await read(owner, groupId)).toEqual(refused("not_a_member"));
  });
});
