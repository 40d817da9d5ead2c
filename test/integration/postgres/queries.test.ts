import { afterAll, beforeAll, expect, test } from "vitest";
import { defaultSettings, type Audience } from "../../../src/core/model.ts";
import { mayUse, standingOf } from "../../../src/core/people/privacy.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { canSeeStatus } from "../../../src/stores/postgres/can-see-status.ts";
import { connectPostgres } from "../../../src/stores/postgres/connect.ts";
import { createPostgresGroups } from "../../../src/stores/postgres/groups.ts";
import { mutualGroups } from "../../../src/stores/postgres/mutual-groups.ts";
import type { Postgres } from "../../../src/stores/postgres/postgres.ts";
import { createPostgresRelations } from "../../../src/stores/postgres/relations.ts";
import { createPostgresUsers } from "../../../src/stores/postgres/users.ts";
import { newId } from "../../contract/durable-harness.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";

describeOn(["postgres"], "the queries for which users are in PostgreSQL", () => {
  let database: TestDatabase;
  let postgres: Postgres;

  beforeAll(async () => {
    database = await createTestDatabase();
    postgres = await connectPostgres(database.options);
  });

  afterAll(async () => {
    await postgres.close();
    await database[Symbol.asyncDispose]();
  });

  async function newUser(): Promise<Uuid> {
    const userId = newId();
    const handle = `u${userId.replaceAll("-", "").slice(2)}`;
    await createPostgresUsers(postgres).create([{ userId, handle, displayName: "U", createdAt: 1 }]);
    return userId;
  }

  async function newGroup(name: string, userIds: readonly Uuid[]): Promise<Uuid> {
    const groupId = newId();
    await createPostgresGroups(postgres).commit({
      groupId,
      messageId: newId(),
      since: 0,
      actorId: newId(),
      actorDevice: 1,
      kind: "create",
      name,
      userIds,
      at: 1,
      expectedVersion: 0,
    });
    return groupId;
  }

  test("a profile with its settings is one row, the settings one JSON object", async () => {
    const userId = await newUser();
    const users = createPostgresUsers(postgres);
    await users.update(userId, {}, { lastSeen: "nobody", notificationSound: 'a "quoted" sound' });
    const { settings } = (await users.byId(userId)) ?? {};
    expect(settings).toEqual({ ...defaultSettings, lastSeen: "nobody", notificationSound: 'a "quoted" sound' });
  });

  test("who may see a status is what the table of privacy says, in every cell", async () => {
    const users = createPostgresUsers(postgres);
    const relations = createPostgresRelations(postgres);
    const cells: unknown[] = [];
    for (const lastSeen of ["everyone", "contacts", "nobody"] as const satisfies readonly Audience[]) {
      for (const contact of [false, true]) {
        for (const blockedBy of ["nobody", "owner", "viewer"] as const) {
          const [owner, viewer] = [await newUser(), await newUser()];
          await users.update(owner, {}, { lastSeen });
          // The other direction means nothing: that the viewer has the owner as a contact.
          await relations.putContact(viewer, { userId: owner, name: "" });
          if (contact) await relations.putContact(owner, { userId: viewer, name: "" });
          if (blockedBy === "owner") await relations.putBlock(owner, viewer, true);
          if (blockedBy === "viewer") await relations.putBlock(viewer, owner, true);
          const standing = standingOf(await relations.between(owner, viewer), await relations.between(viewer, owner));
          const expected = mayUse({ ...defaultSettings, lastSeen }, "lastSeen", standing);
          const cell = { lastSeen, contact, blockedBy };
          expect({ ...cell, seen: await canSeeStatus(postgres, owner, viewer) }).toEqual({ ...cell, seen: expected });
          expect(await canSeeStatus(postgres, owner, owner)).toBe(true);
          cells.push(expected);
        }
      }
    }
    expect(cells.filter((seen) => seen === true)).toHaveLength(3);
    expect(await canSeeStatus(postgres, newId(), newId())).toBe(false);
  });

  test("mutual groups are those both are members of now, with their names", async () => {
    const [one, other, third] = [newId(), newId(), newId()];
    const both = await newGroup("Both", [one, other]);
    const left = await newGroup("Left", [one, other]);
    const whole = await newGroup("Whole", [one, other, third]);
    await newGroup("Only one", [one]);
    await newGroup("Only the other", [other, third]);
    await createPostgresGroups(postgres).commit({
      groupId: left,
      messageId: newId(),
      since: 0,
      actorId: other,
      actorDevice: 1,
      kind: "leave",
      userIds: [other],
      at: 2,
      expectedVersion: 1,
    });
    const expected = [
      { groupId: both, name: "Both" },
      { groupId: whole, name: "Whole" },
    ];
    const byId = (a: { groupId: Uuid }, b: { groupId: Uuid }) => (a.groupId < b.groupId ? -1 : 1);
    expect(await mutualGroups(postgres, one, other, 10)).toEqual(expected.toSorted(byId));
    expect(await mutualGroups(postgres, other, one, 1)).toEqual(expected.toSorted(byId).slice(0, 1));
    expect(await mutualGroups(postgres, one, newId(), 10)).toEqual([]);
  });
});
