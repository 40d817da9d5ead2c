import { afterAll, beforeAll, expect, test } from "vitest";
import { limits } from "../../../src/protocol/limits.ts";
import { connectPostgres } from "../../../src/stores/postgres/connect.ts";
import { createPostgresGroups } from "../../../src/stores/postgres/groups.ts";
import { createPostgresMediaRows } from "../../../src/stores/postgres/media-rows.ts";
import type { Postgres } from "../../../src/stores/postgres/postgres.ts";
import { createPostgresRelations } from "../../../src/stores/postgres/relations.ts";
import { createPostgresSessions } from "../../../src/stores/postgres/sessions.ts";
import { createPostgresUsers } from "../../../src/stores/postgres/users.ts";
import { newId } from "../../contract/durable-harness.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";

/** Of the characters that take most bytes for each unit of length. */
const longest = (length: number): string => "\u{ffff}".repeat(length);
const far = Number.MAX_SAFE_INTEGER;

describeOn(["postgres"], "the bounds of PostgreSQL", () => {
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

  test("whatever the limits allow fits", async () => {
    const userId = newId();
    const users = createPostgresUsers(postgres);
    const handle = "h".repeat(limits.handleLengthMax);
    const passwordHash = "p".repeat(512);
    await users.create([
      { userId, handle, displayName: longest(limits.displayNameLengthMax), createdAt: far, passwordHash },
    ]);
    const profile = {
      statusMessage: longest(limits.statusMessageLengthMax),
      photoUrl: longest(limits.photoUrlLengthMax),
      lastLoginAt: far,
    };
    expect(await users.update(userId, profile, { notificationSound: longest(64) })).toMatchObject(profile);
    const contact = { userId: newId(), name: longest(limits.displayNameLengthMax) };
    await createPostgresRelations(postgres).putContact(userId, contact);
    expect(await createPostgresRelations(postgres).contacts(userId)).toEqual([contact]);
    const hash = new Uint8Array(32);
    const tokens = { refreshHash: hash, accessHash: hash, accessExpiresAt: far, refreshExpiresAt: far };
    const session = { familyId: newId(), userId, version: 1, ...tokens };
    const deviceName = longest(limits.deviceNameLengthMax);
    const login = { userId, device: undefined, deviceName, at: far, session };
    expect(await createPostgresSessions(postgres).open(login)).toEqual({ outcome: "opened", device: 1 });
    const media = { mediaId: newId(), ownerId: userId, objectName: "f".repeat(32), sha256: hash, createdAt: far };
    await createPostgresMediaRows(postgres).create({ ...media, sizeBytes: limits.mediaBytesMax });
    expect(await createPostgresMediaRows(postgres).byId(media.mediaId)).toMatchObject({ createdAt: far });
  });

  test("the largest group with the longest name is one change, and its removal another", async () => {
    const groups = createPostgresGroups(postgres);
    const userIds = Array.from({ length: limits.membersPerGroupMax - 1 }, newId);
    const draft = {
      groupId: newId(),
      since: far,
      actorId: newId(),
      actorDevice: 0x7fff_ffff,
      at: far,
      name: longest(limits.groupNameLengthMax),
    };
    const create = { ...draft, messageId: newId(), kind: "create", userIds, expectedVersion: 0 } as const;
    expect(await groups.commit(create)).toMatchObject({ outcome: "committed", group: { name: draft.name } });
    const remove = { ...draft, messageId: newId(), kind: "remove", userIds, expectedVersion: 1 } as const;
    expect(await groups.commit(remove)).toMatchObject({ group: { members: [{ userId: draft.actorId }] } });
    await groups.settle(draft.groupId, 1, far - 2);
    await groups.settle(draft.groupId, 2, far - 1);
    const intervals = await groups.intervals(draft.groupId, userIds[0]);
    expect(intervals).toEqual([{ userId: userIds[0], joinedSeq: far - 2, leftSeq: far }]);
  });

  test("a handle that is no text to the database is nobody's", async () => {
    const users = createPostgresUsers(postgres);
    for (const handle of ["a\u0000b", "\ud800", "", "x".repeat(100_000), "İstanbul"]) {
      expect(await users.byHandle(handle)).toBeUndefined();
    }
  });

  test("the database itself refuses what no code of ours should write", async () => {
    const broken = [
      "INSERT INTO users (user_id, handle, display_name, created_at) VALUES (gen_random_uuid(), 'ümlaut', '', 1)",
      "UPDATE user_settings SET last_seen = 'friends'",
      "UPDATE device_numbers SET device_count = 6",
      "UPDATE sessions SET access_hash = '\\x00'",
      "DELETE FROM devices",
      "UPDATE member_intervals SET left_version = 0, left_seq = 5",
      "UPDATE media SET state = 'doomed', attached_at = 1",
    ];
    for (const text of broken)
      await expect(database.admin.query(text)).rejects.toMatchObject({ code: expect.stringMatching(/^23/) });
  });
});
