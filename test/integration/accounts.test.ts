import { describe, expect, test } from "vitest";
import { createSystemRandom } from "../../src/base/random.ts";
import type { Notice } from "../../src/core/ports/bus.ts";
import { createUuidV7 } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { WireError } from "../../src/protocol/wire-errors.ts";
import type { AccountDeps, OpenedSession } from "../../src/server/accounts/account-types.ts";
import { createAccounts } from "../../src/server/accounts/accounts.ts";
import { createUsersInBulk } from "../../src/server/accounts/create-users-in-bulk.ts";
import { hashPassword } from "../../src/server/accounts/password-hash.ts";
import { createPasswords, type Passwords } from "../../src/server/accounts/passwords.ts";
import { createLmdbSessions } from "../../src/stores/lmdb/sessions.ts";
import { createLmdbUsers } from "../../src/stores/lmdb/users.ts";
import { createMemoryRateLimits } from "../../src/stores/memory/rate-limits.ts";
import { openTestEnvironment } from "../contract/lmdb-environment.ts";

const startedAt = 1_700_000_000_000;
const cheap = {
  argon2id: { memoryKib: 8, passes: 1, lanes: 1 },
  scrypt: { logRounds: 4, blockSize: 1, lanes: 1 },
};
const alice = {
  handle: "alice",
  displayName: "Alice",
  password: "correct horse",
  deviceName: "Laptop",
  address: "::1",
};

async function makeAccounts(over: Partial<AccountDeps> = {}) {
  const environment = await openTestEnvironment();
  const time = { now: startedAt };
  const notices: Notice[] = [];
  const random = createSystemRandom();
  const verified: (string | undefined)[] = [];
  const passwords = createPasswords({ random, cost: cheap });
  const watched: Passwords = {
    hash: passwords.hash,
    isCurrent: passwords.isCurrent,
    verify(password, encoded) {
      verified.push(encoded);
      return passwords.verify(password, encoded);
    },
  };
  const deps: AccountDeps = {
    users: createLmdbUsers(environment.open),
    sessions: createLmdbSessions(environment.open),
    rateLimits: createMemoryRateLimits(),
    bus: { announce: (notice) => Promise.resolve(notices.push(notice) > 0) },
    clock: { nowMs: () => time.now, monotonicMs: () => time.now, schedule: () => ({ cancel() {} }) },
    random,
    passwords: watched,
    rules: { login: undefined, loginAddress: undefined, register: undefined },
    ...over,
  };
  return {
    deps,
    accounts: createAccounts(deps),
    time,
    notices,
    verified,
    [Symbol.asyncDispose]: () => environment[Symbol.asyncDispose](),
  };
}

const holderOf = ({ user, device }: OpenedSession) => ({ userId: user.userId, device });
const refusal = (code: string) => expect.objectContaining({ name: "WireError", code });

describe("registration and login", () => {
  test("whoever registers is logged in on device 1, with tokens that hold", async () => {
    await using made = await makeAccounts();
    const opened = await made.accounts.register(alice);
    expect(opened).toMatchObject({
      user: { handle: "alice", displayName: "Alice", lastLoginAt: startedAt },
      device: 1,
    });
    expect(await made.accounts.authenticate(opened.tokens.accessToken)).toMatchObject(holderOf(opened));
    expect(await made.accounts.devices(opened.user.userId)).toMatchObject([{ device: 1, name: "Laptop" }]);
  });

  test("a handle is given once, whatever its case, also among rivals", async () => {
    await using made = await makeAccounts();
    const rivals = ["alice", "Alice", "ALICE", "aLice"].map((handle) => made.accounts.register({ ...alice, handle }));
    const settled = await Promise.allSettled(rivals);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of settled) {
      expect(result.status === "fulfilled" || result.reason).toEqual(
        result.status === "fulfilled" ? true : refusal("handle_taken"),
      );
    }
  });

  test("a login makes a new device or names one; the sixth is refused, someone else's unknown", async () => {
    await using made = await makeAccounts();
    await made.accounts.register(alice);
    const login = (device?: number) => made.accounts.login({ ...alice, device });
    for (const device of [2, 3, 4, 5]) expect((await login()).device).toBe(device);
    await expect(login()).rejects.toEqual(refusal("too_many_devices"));
    await expect(login(6)).rejects.toEqual(refusal("no_such_device"));
    expect((await login(3)).device).toBe(3);
  });

  test("a hash of an older cost is made anew by the login that proves the password, and by no other", async () => {
    await using made = await makeAccounts();
    const { users, passwords } = made.deps;
    const userId = (await made.accounts.register(alice)).user.userId;
    const current = (await users.passwordHash(userId)) ?? "";
    const older = { ...cheap, scrypt: { logRounds: 5, blockSize: 1, lanes: 1 } };
    const old = await hashPassword(alice.password, new Uint8Array(16), "scrypt", older);
    await users.replacePasswordHash(userId, current, old);
    const wrong = { ...alice, device: undefined, password: "wrong horse" };
    await expect(made.accounts.login(wrong)).rejects.toEqual(refusal("wrong_password"));
    expect(await users.passwordHash(userId)).toBe(old);
    await made.accounts.login({ ...alice, device: undefined });
    const renewed = (await users.passwordHash(userId)) ?? "";
    expect(passwords.isCurrent(renewed)).toBe(true);
    await made.accounts.login({ ...alice, device: undefined });
    expect(await users.passwordHash(userId)).toBe(renewed);
  });

  test("a login succeeds though its hash cannot be made anew now", async () => {
    const passwords: Passwords = {
      hash: () => Promise.reject(new WireError("overloaded")),
      verify: () => Promise.resolve(true),
      isCurrent: () => false,
    };
    await using made = await makeAccounts({ passwords });
    const { users } = made.deps;
    const userId = createUuidV7(startedAt, createSystemRandom());
    const handle = "alice";
    await users.create([{ userId, handle, displayName: "Alice", createdAt: startedAt, passwordHash: "$x$old" }]);
    expect((await made.accounts.login({ ...alice, device: undefined })).device).toBe(1);
    expect(await users.passwordHash(userId)).toBe("$x$old");
  });

  test("a wrong password, an unknown handle and an account without a password look and cost the same", async () => {
    await using made = await makeAccounts();
    await made.accounts.register(alice);
    await createUsersInBulk(made.deps, [{ handle: "bulk", displayName: "Bulk", devices: 1 }]);
    for (const attempt of [{ password: "wrong horse" }, { handle: "nobody" }, { handle: "bulk" }]) {
      await expect(made.accounts.login({ ...alice, device: undefined, ...attempt })).rejects.toEqual(
        refusal("wrong_password"),
      );
    }
    expect(made.verified).toEqual([expect.any(String), undefined, undefined]);
  });

  test("a login is found whatever the case of the handle, and is kept as the last one", async () => {
    await using made = await makeAccounts();
    await made.accounts.register(alice);
    made.time.now += 60_000;
    const opened = await made.accounts.login({ ...alice, handle: "ALICE", device: undefined });
    expect(opened.user).toMatchObject({ handle: "alice", lastLoginAt: startedAt + 60_000 });
  });

  test("logins are limited by handle and address before the password is looked at, for handles nobody has too", async () => {
    const rules = { login: { burst: 2, intervalMs: 60_000 }, loginAddress: undefined, register: undefined };
    await using made = await makeAccounts({ rules });
    await made.accounts.register(alice);
    for (const handle of ["alice", "nobody"]) {
      const attempt = { ...alice, handle, password: "wrong", device: undefined };
      for (let count = 0; count < 2; count++) {
        await expect(made.accounts.login(attempt)).rejects.toEqual(refusal("wrong_password"));
      }
      await expect(made.accounts.login({ ...attempt, handle: handle.toUpperCase() })).rejects.toMatchObject({
        code: "rate_limited",
        retryAfterMs: 60_000,
      });
    }
    expect(made.verified).toHaveLength(4);
    expect((await made.accounts.login({ ...alice, address: "::2", device: undefined })).device).toBe(2);
    made.time.now += 60_000;
    expect((await made.accounts.login({ ...alice, device: undefined })).device).toBe(3);
  });

  test("registrations and logins are limited by address", async () => {
    const rule = { burst: 1, intervalMs: 1_000 };
    await using made = await makeAccounts({ rules: { login: undefined, loginAddress: rule, register: rule } });
    await made.accounts.register(alice);
    await expect(made.accounts.register({ ...alice, handle: "bob1" })).rejects.toEqual(refusal("rate_limited"));
    await made.accounts.login({ ...alice, device: undefined });
    await expect(made.accounts.login({ ...alice, handle: "bob1", device: undefined })).rejects.toEqual(
      refusal("rate_limited"),
    );
  });
});

describe("tokens", () => {
  test("an access token ends at its time, a refresh token makes the next pair", async () => {
    await using made = await makeAccounts();
    const opened = await made.accounts.register(alice);
    made.time.now += limits.accessTokenTtlMs;
    expect(await made.accounts.authenticate(opened.tokens.accessToken)).toBeUndefined();
    const { tokens: next } = await made.accounts.refresh(opened.tokens.refreshToken);
    expect(next.accessExpiresAt).toBe(made.time.now + limits.accessTokenTtlMs);
    expect(await made.accounts.authenticate(next.accessToken)).toMatchObject(holderOf(opened));
  });

  test("a copied refresh token ends the session for the thief and for the owner, and says so to the nodes", async () => {
    await using made = await makeAccounts();
    const opened = await made.accounts.register(alice);
    const { tokens: owners } = await made.accounts.refresh(opened.tokens.refreshToken);
    await expect(made.accounts.refresh(opened.tokens.refreshToken)).rejects.toEqual(refusal("token_reused"));
    expect(await made.accounts.authenticate(owners.accessToken)).toBeUndefined();
    await expect(made.accounts.refresh(owners.refreshToken)).rejects.toEqual(refusal("unauthenticated"));
    expect(made.notices).toEqual([{ notice: "sessions_revoked", userId: opened.user.userId, devices: [1] }]);
  });

  test("an expired refresh token is worth nothing", async () => {
    await using made = await makeAccounts();
    const opened = await made.accounts.register(alice);
    made.time.now += limits.refreshTokenTtlMs;
    await expect(made.accounts.refresh(opened.tokens.refreshToken)).rejects.toEqual(refusal("unauthenticated"));
  });

  test("tokens of the other kind, damaged or made up open nothing", async () => {
    await using made = await makeAccounts();
    const { tokens } = await made.accounts.register(alice);
    for (const text of [tokens.refreshToken, `${tokens.accessToken}x`, tokens.accessToken.toUpperCase(), ""]) {
      expect(await made.accounts.authenticate(text)).toBeUndefined();
    }
    for (const text of [tokens.accessToken, `msgr_rt_${"A".repeat(43)}`, "", "x".repeat(10_000)]) {
      await expect(made.accounts.refresh(text)).rejects.toEqual(refusal("unauthenticated"));
    }
    expect(await made.accounts.authenticate(tokens.accessToken)).toBeDefined();
  });
});

describe("ending sessions", () => {
  test("logout ends the session of the device and tells the nodes once", async () => {
    await using made = await makeAccounts();
    const opened = await made.accounts.register(alice);
    const other = await made.accounts.login({ ...alice, device: undefined });
    await made.accounts.logout(holderOf(opened), "device");
    await made.accounts.logout(holderOf(opened), "device");
    expect(await made.accounts.authenticate(opened.tokens.accessToken)).toBeUndefined();
    expect(await made.accounts.authenticate(other.tokens.accessToken)).toBeDefined();
    expect(made.notices).toEqual([{ notice: "sessions_revoked", userId: opened.user.userId, devices: [1] }]);
    await made.accounts.logout(holderOf(opened), "all");
    expect(await made.accounts.authenticate(other.tokens.accessToken)).toBeUndefined();
    expect(made.notices).toHaveLength(2);
  });

  test("a removed device is off the account; removing it again is an error", async () => {
    await using made = await makeAccounts();
    const opened = await made.accounts.register(alice);
    const { userId } = opened.user;
    const other = await made.accounts.login({ ...alice, device: undefined });
    await made.accounts.removeDevice(userId, 2);
    expect(await made.accounts.authenticate(other.tokens.accessToken)).toBeUndefined();
    expect(await made.accounts.devices(userId)).toHaveLength(1);
    expect(made.notices).toEqual([{ notice: "sessions_revoked", userId, devices: [2] }]);
    await expect(made.accounts.removeDevice(userId, 2)).rejects.toEqual(refusal("no_such_device"));
  });
});

describe("bulk", () => {
  test("ten thousand users with two devices each, every token valid", async () => {
    await using made = await makeAccounts();
    const users = Array.from({ length: limits.bulkUsersMax }, (_, index) => ({
      handle: `load${index}`,
      displayName: `Load ${index}`,
      devices: 2,
    }));
    const devices = await createUsersInBulk(made.deps, users);
    expect(devices).toHaveLength(2 * limits.bulkUsersMax);
    expect(new Set(devices.map(({ accessToken }) => accessToken)).size).toBe(2 * limits.bulkUsersMax);
    for (const index of [0, 1, 9_998, 19_999]) {
      const { userId, handle, device, accessToken } = devices[index] as (typeof devices)[number];
      expect(handle).toBe(`load${Math.floor(index / 2)}`);
      expect(await made.accounts.authenticate(accessToken)).toMatchObject({ userId, device });
    }
  });

  test("one taken handle: nothing is made", async () => {
    await using made = await makeAccounts();
    await made.accounts.register(alice);
    const users = ["fresh", "alice"].map((handle) => ({ handle, displayName: handle, devices: 1 }));
    await expect(createUsersInBulk(made.deps, users)).rejects.toEqual(refusal("handle_taken"));
    expect(await made.deps.users.byHandle("fresh")).toBeUndefined();
  });
});
