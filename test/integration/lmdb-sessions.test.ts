import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import type { Sessions } from "../../src/core/ports/sessions.ts";
import { createSystemRandom } from "../../src/base/random.ts";
import { createUuidV7 } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { Environment } from "../../src/stores/lmdb/environment.ts";
import { createLmdbSessions } from "../../src/stores/lmdb/sessions.ts";
import type { DatabaseName, Table } from "../../src/stores/lmdb/tables.ts";
import { openTestEnvironment } from "../contract/lmdb-environment.ts";

const at = 1_700_000_000_000;
const random = createSystemRandom();
const newHash = () => createHash("sha256").update(randomBytes(32)).digest();
const nextTokens = () => ({
  refreshHash: newHash(),
  accessHash: newHash(),
  accessExpiresAt: at + limits.accessTokenTtlMs,
  refreshExpiresAt: at + limits.refreshTokenTtlMs,
});

async function login(sessions: Sessions) {
  const userId = createUuidV7(at, random);
  const session = { familyId: createUuidV7(at, random), userId, version: 1, ...nextTokens() };
  await sessions.open({ userId, device: undefined, deviceName: "", at, session });
  return session;
}

const rowsOf = (environment: Environment, name: DatabaseName): number => {
  const table: Table<true> = { name, encode: () => new Uint8Array(), decode: () => true };
  return environment.range(table, { start: Buffer.alloc(1), end: Buffer.alloc(64, 0xff), entriesMax: 100_000 }).length;
};
const rowsOfTokens = (environment: Environment) =>
  (["sessions", "session_access_hashes", "session_refresh_hashes", "session_refresh_versions"] as const).map((name) =>
    rowsOf(environment, name),
  );

test("a session that ends leaves no row behind, whichever way it ends", async () => {
  await using environment = await openTestEnvironment();
  const sessions = createLmdbSessions(environment.open);
  const [reused, loggedOut, removed, replaced] = [
    await login(sessions),
    await login(sessions),
    await login(sessions),
    await login(sessions),
  ];
  for (const { refreshHash } of [reused, loggedOut, removed, replaced]) {
    const next = nextTokens();
    await sessions.rotate(refreshHash, next, at);
    await sessions.rotate(next.refreshHash, nextTokens(), at);
  }
  expect(rowsOfTokens(environment.open)).toEqual([4, 4, 12, 12]);
  await sessions.rotate(reused.refreshHash, nextTokens(), at);
  await sessions.revoke(loggedOut.userId, "all");
  await sessions.revoke(removed.userId, { device: 1, remove: true });
  const { userId } = replaced;
  const session = { familyId: createUuidV7(at, random), userId, version: 1, ...nextTokens() };
  await sessions.open({ userId, device: 1, deviceName: "", at, session });
  expect(rowsOfTokens(environment.open)).toEqual([1, 1, 1, 1]);
  await sessions.revoke(userId, "all");
  expect(rowsOfTokens(environment.open)).toEqual([0, 0, 0, 0]);
});

test("a session that is refreshed for ever keeps a bounded number of used tokens, and ends whole", async () => {
  await using environment = await openTestEnvironment();
  const sessions = createLmdbSessions(environment.open);
  const first = await login(sessions);
  const hashes = [first.refreshHash];
  for (let count = 0; count < limits.refreshHashesKeptMax + 2; count++) {
    const next = nextTokens();
    expect((await sessions.rotate(hashes.at(-1) as Uint8Array, next, at)).outcome).toBe("rotated");
    hashes.push(next.refreshHash);
  }
  const kept = limits.refreshHashesKeptMax;
  expect(rowsOfTokens(environment.open)).toEqual([1, 1, kept, kept]);
  const [oldestKept, forgotten] = [hashes.at(-kept) as Uint8Array, hashes.at(-kept - 1) as Uint8Array];
  expect((await sessions.rotate(forgotten, nextTokens(), at)).outcome).toBe("unknown");
  expect((await sessions.rotate(oldestKept, nextTokens(), at)).outcome).toBe("reused");
  expect(rowsOfTokens(environment.open)).toEqual([0, 0, 0, 0]);
});
