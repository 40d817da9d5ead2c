import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Core, CorePorts, GroupRequest } from "../../../src/core/api.ts";
import { createCore } from "../../../src/core/create-core.ts";
import type { Group } from "../../../src/core/model.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { directConversationId } from "../../../src/protocol/ids.ts";
import { kinds } from "../../../src/protocol/kinds.ts";
import { WireError } from "../../../src/protocol/wire-errors.ts";
import { connectPostgres } from "../../../src/stores/postgres/connect.ts";
import { createPostgresConversationSettings } from "../../../src/stores/postgres/conversation-settings.ts";
import { createPostgresGroups } from "../../../src/stores/postgres/groups.ts";
import { createPostgresMediaRows } from "../../../src/stores/postgres/media-rows.ts";
import type { Postgres } from "../../../src/stores/postgres/postgres.ts";
import { createPostgresRelations } from "../../../src/stores/postgres/relations.ts";
import { createPostgresUsers } from "../../../src/stores/postgres/users.ts";
import { createMemoryWorld, type MemoryWorld } from "../../helpers/core-ports/core-ports.ts";
import { caller, textDraft } from "../../helpers/core-ports/delivery-core.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";

describeOn(["postgres"], "the core on PostgreSQL", () => {
  let database: TestDatabase;
  let postgres: Postgres;
  let world: MemoryWorld;
  /** Two server processes: caches of their own, one directory, one log. */
  let nodes: readonly [Core, Core];
  /** Names of the statements that were sent. */
  const statements: string[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    postgres = await connectPostgres(database.options);
    const { query } = postgres;
    postgres.query = (statement, values) => {
      statements.push(statement.name);
      return query.call(postgres, statement, values) as never;
    };
  });

  afterAll(async () => {
    await postgres.close();
    await database[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    await database.empty();
    world = createMemoryWorld();
    nodes = [startNode(), startNode()];
  });

  function startNode(): Core {
    const ports: CorePorts = {
      ...world.ports(),
      users: createPostgresUsers(postgres),
      relations: createPostgresRelations(postgres),
      groups: createPostgresGroups(postgres),
      settings: createPostgresConversationSettings(postgres),
      media: createPostgresMediaRows(postgres),
    };
    const core = createCore(ports, { cacheTtlMs: 1_000 });
    ports.bus.subscribe({ deliver: () => undefined, notice: (notice) => core.hear(notice) });
    return core;
  }

  const write = async (core: Core, from: Uuid, to: Uuid, since: number): Promise<number> => {
    const claim = since === 0 ? {} : { readFrom: 1, read: since };
    const draft = textDraft(world, { user: to }, since, claim);
    return (await core.delivery.send(caller(from), core.delivery.createGate(), draft)).seq;
  };

  async function newUsers(count: number): Promise<readonly Uuid[]> {
    const users = Array.from({ length: count }, () => world.id());
    const rows = users.map((userId) => ({
      userId,
      handle: `u${userId.replaceAll("-", "").slice(2)}`,
      displayName: "",
      createdAt: 1,
    }));
    expect(await createPostgresUsers(postgres).create(rows)).toEqual([]);
    return users;
  }

  /** As a client does it: on a version that no longer holds it looks again. */
  async function change(core: Core, actor: Uuid, groupId: Uuid, request: GroupRequest): Promise<Group> {
    for (;;) {
      const { membership } = await core.groups.get(caller(actor), groupId);
      try {
        return await core.groups.change(caller(actor), groupId, world.id(), membership, request);
      } catch (error) {
        if (!(error instanceof WireError) || !(error.temporary || error.code === "version_conflict")) throw error;
      }
    }
  }

  const systemRows = (groupId: Uuid) => world.log.rowsOf(groupId).filter(({ kind }) => kind === kinds.system);

  test("a group is made once, whoever asks how often, on whichever node", async () => {
    const [ann, bob] = (await newUsers(2)) as [Uuid, Uuid];
    const [groupId, messageId] = [world.id(), world.id()];
    const create: GroupRequest = { kind: "create", name: "team", userIds: [bob] };
    const asked = [0, 1, 0, 1, 0, 1].map((node) =>
      nodes[node as 0 | 1].groups.change(caller(ann), groupId, messageId, 0, create),
    );
    for (const group of await Promise.all(asked)) expect(group).toMatchObject({ groupId, membership: 1 });
    expect(systemRows(groupId)).toHaveLength(1);
    expect(await nodes[1].groups.ofUser(caller(bob))).toEqual([groupId]);
  });

  test("changes from two nodes at once all happen, one after the other, each with its row in the log", async () => {
    const [ann, ...others] = (await newUsers(21)) as [Uuid, ...Uuid[]];
    const groupId = world.id();
    const [staying, leaving, coming] = [others.slice(0, 6), others.slice(6, 12), others.slice(12)];
    const first = [...staying, ...leaving];
    await nodes[0].groups.change(caller(ann), groupId, world.id(), 0, {
      kind: "create",
      name: "crowd",
      userIds: first,
    });
    await Promise.all([
      ...coming.map((userId, index) =>
        change(nodes[index % 2 === 0 ? 0 : 1], ann, groupId, { kind: "add", userIds: [userId] }),
      ),
      ...leaving.slice(0, 3).map((userId) => change(nodes[1], userId, groupId, { kind: "leave" })),
      change(nodes[0], ann, groupId, { kind: "remove", userIds: leaving.slice(3) }),
      change(nodes[1], ann, groupId, { kind: "role", userIds: staying.slice(0, 2), role: "admin" }),
      change(nodes[0], ann, groupId, { kind: "rename", name: "quiet crowd" }),
    ]);
    const changes = 1 + coming.length + 3 + 1 + 1 + 1;
    const stored = createPostgresGroups(postgres);
    const group = await stored.load(groupId);
    expect(group).toMatchObject({ name: "quiet crowd", membership: changes });
    expect(group?.members.map(({ userId }) => userId).toSorted()).toEqual([ann, ...staying, ...coming].toSorted());
    expect(group?.members.filter(({ role }) => role === "admin")).toHaveLength(2);
    expect(group?.members.every(({ joinedSeq }) => joinedSeq > 0)).toBe(true);
    expect(await stored.pending(groupId, 100)).toEqual([]);
    expect(systemRows(groupId)).toHaveLength(changes);
    const intervals = await stored.intervals(groupId, undefined);
    expect(
      intervals
        .filter(({ leftSeq }) => leftSeq > 0)
        .map(({ userId }) => userId)
        .toSorted(),
    ).toEqual(leaving.toSorted());
    expect(intervals).toHaveLength(1 + others.length);
  });

  test("who was removed through one node cannot write through the other; who was added can", async () => {
    const [ann, bob, cat] = (await newUsers(3)) as [Uuid, Uuid, Uuid];
    const groupId = world.id();
    const [one, other] = nodes;
    await one.groups.change(caller(ann), groupId, world.id(), 0, { kind: "create", name: "team", userIds: [bob] });
    const say = (core: Core, from: Uuid) =>
      core.delivery.send(caller(from), core.delivery.createGate(), textDraft(world, { conversation: groupId }, 0));
    await say(other, bob);
    await change(one, ann, groupId, { kind: "remove", userIds: [bob] });
    await change(one, ann, groupId, { kind: "add", userIds: [cat] });
    await expect(say(other, bob)).rejects.toMatchObject({ code: "not_a_member" });
    expect(await say(other, cat)).toMatchObject({ seq: 5 });
  });

  test("what a dead process left half done is finished by the next one that starts", async () => {
    const [ann, bob] = (await newUsers(2)) as [Uuid, Uuid];
    const groupId = world.id();
    await createPostgresGroups(postgres).commit({
      groupId,
      messageId: world.id(),
      since: 0,
      actorId: ann,
      actorDevice: 1,
      kind: "create",
      name: "orphan",
      userIds: [bob],
      at: world.clock.nowMs(),
      expectedVersion: 0,
    });
    expect(systemRows(groupId)).toHaveLength(0);
    await startNode().recover();
    expect(systemRows(groupId)).toHaveLength(1);
    expect(await createPostgresGroups(postgres).pending(undefined, 10)).toEqual([]);
    expect((await nodes[0].groups.get(caller(bob), groupId)).members.every(({ joinedSeq }) => joinedSeq === 1)).toBe(
      true,
    );
  });

  test("a chat that goes on asks it nothing while the bus is heard: blocks and settings are told", async () => {
    const [ann, bob] = (await newUsers(2)) as [Uuid, Uuid];
    const [one, other] = nodes;
    const conversationId = directConversationId(ann, bob);
    const exchange = async (since: number): Promise<string[]> => {
      statements.length = 0;
      const seq = await write(one, ann, bob, since);
      await one.receipts.delivered(caller(bob), { conversationId, from: 1, seq });
      await one.receipts.read(caller(bob), { conversationId, from: 1, seq });
      await write(one, bob, ann, seq);
      world.clock.advance(5_000);
      return statements.toSorted();
    };
    const first = ["profiles_by_id", "profiles_by_id", "relations_between", "relations_between"];
    expect(await exchange(0)).toEqual(first);
    expect(await exchange(2)).toEqual([]);
    await other.people.block(caller(bob), ann, true);
    await other.people.block(caller(bob), ann, false);
    expect(await exchange(4)).toEqual(["relations_between", "relations_between"]);
    world.hub.hearing = { sinceMs: Infinity, toMs: -Infinity };
    // Both profiles at one time, for who is asked about read receipts.
    const again = ["profiles_by_id", "relations_between", "relations_between"];
    expect(await exchange(6)).toEqual(again);
    expect(await exchange(8)).toEqual(again);
  });

  test("privacy and blocks are read from it", async () => {
    const [ann, bob] = (await newUsers(2)) as [Uuid, Uuid];
    const [one, other] = nodes;
    await createPostgresUsers(postgres).update(ann, { statusMessage: "at sea" }, { about: "contacts" });
    expect(await one.people.profile(caller(bob), ann)).not.toHaveProperty("statusMessage");
    await createPostgresRelations(postgres).putContact(ann, { userId: bob, name: "" });
    expect(await one.people.profile(caller(bob), ann)).toMatchObject({ statusMessage: "at sea" });
    await other.people.block(caller(ann), bob, true);
    const gate = one.delivery.createGate();
    const sent = await one.delivery.send(caller(bob), gate, textDraft(world, { user: ann }, 0));
    expect(sent).toMatchObject({ seq: 1, maxStatus: "sent" });
  });
});
