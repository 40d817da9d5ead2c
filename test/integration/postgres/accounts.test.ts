import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createSystemRandom } from "../../../src/base/random.ts";
import type { Session } from "../../../src/core/model.ts";
import type { Notice } from "../../../src/core/ports/bus.ts";
import type { Sessions } from "../../../src/core/ports/sessions.ts";
import type { Uuid } from "../../../src/protocol/ids.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { createAccounts } from "../../../src/server/accounts/accounts.ts";
import { createUsersInBulk } from "../../../src/server/accounts/create-users-in-bulk.ts";
import type { AccountDeps, Accounts, OpenedSession } from "../../../src/server/accounts/account-types.ts";
import { createPasswords } from "../../../src/server/accounts/passwords.ts";
import { createMemoryRateLimits } from "../../../src/stores/memory/rate-limits.ts";
import { connectPostgres } from "../../../src/stores/postgres/connect.ts";
import type { Postgres } from "../../../src/stores/postgres/postgres.ts";
import { createPostgresSessions } from "../../../src/stores/postgres/sessions.ts";
import { createPostgresUsers } from "../../../src/stores/postgres/users.ts";
import { newId } from "../../contract/durable-harness.ts";
import { createTestDatabase, type TestDatabase } from "../../helpers/postgres-database.ts";
import { describeOn } from "../../helpers/real-stores.ts";

const now = 1_700_000_000_000;
const random = createSystemRandom();
const cheap = {
  argon2id: { memoryKib: 8, passes: 1, lanes: 1 },
  scrypt: { logRounds: 4, blockSize: 1, lanes: 1 },
};
const alice = {
  handle: "Alice",
  displayName: "Alice",
  password: "correct horse",
  deviceName: "Laptop",
  address: "::1",
};
const refusal = (code: string) => expect.objectContaining({ name: "WireError", code });
const holderOf = ({ user, device }: OpenedSession) => ({ userId: user.userId, device });

describeOn(["postgres"], "accounts on PostgreSQL", () => {
  let database: TestDatabase;
  let postgres: Postgres;
  let notices: Notice[];
  let deps: AccountDeps;
  let accounts: Accounts;
  let sessions: Sessions;

  beforeAll(async () => {
    database = await createTestDatabase();
    postgres = await connectPostgres(database.options);
  });

  beforeEach(async () => {
    await database.empty();
    notices = [];
    sessions = createPostgresSessions(postgres);
    deps = {
      users: createPostgresUsers(postgres),
      sessions,
      rateLimits: createMemoryRateLimits(),
      bus: { announce: (notice) => Promise.resolve(notices.push(notice) > 0) },
      clock: { nowMs: () => now, monotonicMs: () => now, schedule: () => ({ cancel() {} }) },
      random,
      passwords: createPasswords({ random, cost: cheap }),
      rules: { login: undefined, loginAddress: undefined, register: undefined },
    };
    accounts = createAccounts(deps);
  });

  afterAll(async () => {
    await postgres.close();
    // Not one of all these races was a ring of waiting.
    const { rows } = await database.admin.query<{ deadlocks: string }>(
      "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    );
    if (rows[0]?.deadlocks !== "0") throw new Error(`${rows[0]?.deadlocks} deadlocks`);
    await database[Symbol.asyncDispose]();
  });

  test("register, log in, refresh, log out: tokens open what they should and nothing after their end", async () => {
    const opened = await accounts.register(alice);
    const second = await accounts.login({ ...alice, handle: "ALICE", deviceName: "Phone", device: undefined });
    expect([opened.device, second.device]).toEqual([1, 2]);
    const { tokens: next } = await accounts.refresh(second.tokens.refreshToken);
    expect(await accounts.authenticate(second.tokens.accessToken)).toBeUndefined();
    expect(await accounts.authenticate(next.accessToken)).toMatchObject(holderOf(second));
    await accounts.logout(holderOf(second), "device");
    expect(await accounts.authenticate(next.accessToken)).toBeUndefined();
    await accounts.removeDevice(opened.user.userId, 2);
    expect(await accounts.devices(opened.user.userId)).toMatchObject([{ device: 1, name: "Laptop" }]);
    await accounts.logout(holderOf(opened), "all");
    expect(await accounts.authenticate(opened.tokens.accessToken)).toBeUndefined();
    expect(notices.map(({ notice }) => notice)).toEqual(Array(notices.length).fill("sessions_revoked"));
  });

  test("a handle is given once among rivals, and the losers leave nothing", async () => {
    const rivals = ["alice", "Alice", "ALICE", "aLice"].map((handle) => accounts.register({ ...alice, handle }));
    const settled = await Promise.allSettled(rivals);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of settled) {
      if (result.status === "rejected") expect(result.reason).toEqual(refusal("handle_taken"));
    }
    const { rows } = await database.admin.query("SELECT (SELECT count(*)::int FROM users) AS users");
    expect(rows).toEqual([{ users: 1 }]);
  });

  test("a copied refresh token ends the session for thief and owner", async () => {
    const opened = await accounts.register(alice);
    const { tokens: owners } = await accounts.refresh(opened.tokens.refreshToken);
    await expect(accounts.refresh(opened.tokens.refreshToken)).rejects.toEqual(refusal("token_reused"));
    await expect(accounts.refresh(owners.refreshToken)).rejects.toEqual(refusal("unauthenticated"));
    expect(await accounts.authenticate(owners.accessToken)).toBeUndefined();
  });

  test("two batches with handles in common: one is made whole, of the other nothing is there", async () => {
    const batch = (prefix: string) =>
      [...Array.from({ length: 200 }, (_, index) => `${prefix}${index}`), "common.one", "common.two"].map((handle) => ({
        handle,
        displayName: handle,
        devices: 1,
      }));
    const made = await Promise.allSettled([
      createUsersInBulk(deps, batch("left")),
      createUsersInBulk(deps, batch("right").toReversed()),
    ]);
    const { rows } = await database.admin.query<{ side: string; users: number }>(
      "SELECT rtrim(handle, '0123456789') AS side, count(*)::int AS users FROM users GROUP BY side",
    );
    const sides = rows.filter(({ side }) => !side.startsWith("common"));
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(sides).toHaveLength(1);
    expect(sides[0]?.users).toBe(200);
  });

  test("logins, refreshes, removals and logouts of one user at once leave devices and sessions that agree", async () => {
    const userId = newId();
    const opened: Session[] = [];
    const open = async (device: number | undefined): Promise<void> => {
      const session = newSession(userId);
      const outcome = await sessions.open({ userId, device, deviceName: "D", at: now, session });
      if (outcome.outcome === "opened") opened.push({ ...session, device: outcome.device });
    };
    const round = (index: number): Promise<unknown> => {
      const device = 1 + (index % 7);
      const some = opened[index % Math.max(1, opened.length)];
      switch (index % 5) {
        case 0:
          return open(undefined);
        case 1:
          return open(device);
        case 2:
          return sessions.revoke(userId, { device, remove: index % 2 === 0 });
        case 3:
          return some === undefined ? open(undefined) : sessions.rotate(some.refreshHash, newSession(userId), now);
        default:
          return index % 25 === 4 ? sessions.revoke(userId, "all") : open(device);
      }
    };
    for (let start = 0; start < 200; start += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => round(start + index)));
    }
    const { rows } = await database.admin.query(
      `SELECT n.device_count = (SELECT count(*) FROM devices d WHERE d.user_id = n.user_id) AS counted,
              n.device_count <= $2 AS bounded,
              n.last_device >= (SELECT coalesce(max(device), 0) FROM devices d WHERE d.user_id = n.user_id) AS unused,
              NOT EXISTS (SELECT FROM used_refresh_hashes u LEFT JOIN sessions s USING (family_id)
                          WHERE s.family_id IS NULL OR u.version >= s.version) AS used_belong
       FROM device_numbers n WHERE n.user_id = $1`,
      [userId, limits.devicesPerUserMax],
    );
    expect(rows).toEqual([{ counted: true, bounded: true, unused: true, used_belong: true }]);
  });

  function newSession(userId: Uuid): Omit<Session, "device"> {
    return {
      familyId: newId(),
      userId,
      version: 1,
      refreshHash: random.fill(new Uint8Array(32)),
      accessHash: random.fill(new Uint8Array(32)),
      accessExpiresAt: now + 1_000,
      refreshExpiresAt: now + 2_000,
    };
  }
});
