import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Session } from "../../src/core/model.ts";
import type { Sessions } from "../../src/core/ports/sessions.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

const at = 1_700_000_000_000;

function newHash(): Uint8Array {
  return createHash("sha256").update(newId()).digest();
}

function newSession(userId: Uuid): Omit<Session, "device"> {
  return {
    familyId: newId(),
    userId,
    version: 1,
    refreshHash: newHash(),
    accessHash: newHash(),
    accessExpiresAt: at + limits.accessTokenTtlMs,
    refreshExpiresAt: at + limits.refreshTokenTtlMs,
  };
}

function nextTokens(): Pick<Session, "refreshHash" | "accessHash" | "accessExpiresAt" | "refreshExpiresAt"> {
  return {
    refreshHash: newHash(),
    accessHash: newHash(),
    accessExpiresAt: at + 2 * limits.accessTokenTtlMs,
    refreshExpiresAt: at + 2 * limits.refreshTokenTtlMs,
  };
}

/** Opens a session on a new device, or on the named one. */
async function open(store: Sessions, userId: Uuid, device?: number): Promise<Session> {
  const session = newSession(userId);
  const outcome = await store.open({ userId, device, deviceName: "Laptop", at, session });
  if (outcome.outcome !== "opened") throw new Error(`not opened but ${outcome.outcome}`);
  return { ...session, device: outcome.device };
}

async function fillDevices(store: Sessions, userId: Uuid): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  for (let count = 0; count < limits.devicesPerUserMax; count++) sessions.push(await open(store, userId));
  return sessions;
}

export function describeSessions(name: string, makeHarness: MakeDurableHarness<Sessions>): void {
  describe(`sessions: ${name}`, () => {
    describe("devices", () => {
      deviceTests(makeHarness);
    });
    describe("tokens", () => {
      tokenTests(makeHarness);
    });
    describe("revoking", () => {
      revokeTests(makeHarness);
    });
  });
}

function deviceTests(makeHarness: MakeDurableHarness<Sessions>): void {
  test("each login without a device makes the next one, from 1", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const sessions = await fillDevices(harness.store, user);
    expect(sessions.map(({ device }) => device)).toEqual([1, 2, 3, 4, 5]);
    expect(await harness.store.devices(user)).toEqual(
      sessions.map(({ device }) => ({ userId: user, device, name: "Laptop", createdAt: at, lastSeenAt: at })),
    );
    expect((await open(harness.store, newId())).device).toBe(1);
    expect(await harness.store.devices(newId())).toEqual([]);
  });

  test("a sixth device is refused; nothing of it is there", async () => {
    await using harness = await makeHarness();
    const user = newId();
    await fillDevices(harness.store, user);
    const session = newSession(user);
    expect(await harness.store.open({ userId: user, device: undefined, deviceName: "", at, session })).toEqual({
      outcome: "too_many_devices",
    });
    expect(await harness.store.devices(user)).toHaveLength(limits.devicesPerUserMax);
    expect(await harness.store.byAccess(session.accessHash)).toBeUndefined();
    expect((await harness.store.alive([session.familyId])).size).toBe(0);
  });

  test("of many logins at once no more than the limit get a device, each its own", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const logins = Array.from({ length: 12 }, () =>
      harness.store.open({ userId: user, device: undefined, deviceName: "", at, session: newSession(user) }),
    );
    const outcomes = await Promise.all(logins);
    const devices = outcomes.flatMap((outcome) => (outcome.outcome === "opened" ? [outcome.device] : []));
    expect(devices.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
    expect(outcomes.filter(({ outcome }) => outcome === "too_many_devices")).toHaveLength(7);
  });

  test("a device number is never used twice", async () => {
    await using harness = await makeHarness();
    const user = newId();
    await fillDevices(harness.store, user);
    await harness.store.revoke(user, { device: 5, remove: true });
    const reopened = await harness.reopen();
    expect((await open(reopened, user)).device).toBe(6);
    await reopened.revoke(user, { device: 6, remove: true });
    await reopened.revoke(user, { device: 1, remove: true });
    expect((await open(reopened, user)).device).toBe(7);
    expect((await reopened.devices(user)).map(({ device }) => device)).toEqual([2, 3, 4, 7]);
  });

  test("logging in on a device that exists keeps its number and ends its open session", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const sessions = await fillDevices(harness.store, user);
    const before = sessions[1] as Session;
    const later = { ...newSession(user) };
    const login = { userId: user, device: 2, deviceName: "Phone", at: at + 60_000, session: later };
    expect(await harness.store.open(login)).toEqual({ outcome: "opened", device: 2 });
    expect(await harness.store.byAccess(before.accessHash)).toBeUndefined();
    expect(await harness.store.rotate(before.refreshHash, nextTokens(), at)).toEqual({ outcome: "unknown" });
    expect(await harness.store.alive([before.familyId, later.familyId])).toEqual(new Set([later.familyId]));
    expect((await harness.store.devices(user))[1]).toEqual({
      userId: user,
      device: 2,
      name: "Phone",
      createdAt: at,
      lastSeenAt: at + 60_000,
    });
  });

  test("a device name is kept when the login gives none", async () => {
    await using harness = await makeHarness();
    const user = newId();
    await open(harness.store, user);
    await harness.store.open({ userId: user, device: 1, deviceName: "", at, session: newSession(user) });
    expect((await harness.store.devices(user))[0]?.name).toBe("Laptop");
  });

  test("a device that does not exist, was removed or is someone else's cannot be named", async () => {
    await using harness = await makeHarness();
    const [user, other] = [newId(), newId()];
    await fillDevices(harness.store, other);
    await open(harness.store, user);
    await harness.store.revoke(user, { device: 1, remove: true });
    for (const device of [1, 2, 99]) {
      const session = newSession(user);
      expect(await harness.store.open({ userId: user, device, deviceName: "", at, session })).toEqual({
        outcome: "no_such_device",
      });
      expect(await harness.store.byAccess(session.accessHash)).toBeUndefined();
    }
  });
}

function tokenTests(makeHarness: MakeDurableHarness<Sessions>): void {
  test("an access token opens its session, expired or not; any other opens nothing", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const session = await open(harness.store, user);
    expect(await harness.store.byAccess(session.accessHash)).toEqual(session);
    expect(await harness.store.byAccess(session.refreshHash)).toBeUndefined();
    expect(await harness.store.byAccess(newHash())).toBeUndefined();
  });

  test("a session that was answered does not change when others are read", async () => {
    await using harness = await makeHarness();
    const sessions = [await open(harness.store, newId()), await open(harness.store, newId())];
    const answered = [];
    for (const { accessHash } of sessions) answered.push(await harness.store.byAccess(accessHash));
    await harness.store.devices(newId());
    expect(answered).toEqual(sessions);
  });

  test("rotation makes the next version; the old access token is dead", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    const next = nextTokens();
    const rotated = { ...session, ...next, version: 2 };
    expect(await harness.store.rotate(session.refreshHash, next, at + 5_000)).toEqual({
      outcome: "rotated",
      session: rotated,
    });
    expect(await harness.store.byAccess(session.accessHash)).toBeUndefined();
    expect(await harness.store.byAccess(next.accessHash)).toEqual(rotated);
    expect((await harness.store.devices(session.userId))[0]?.lastSeenAt).toBe(at + 5_000);
  });

  test("a refresh token that was used before closes the whole family, however long ago it was used", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    let current = session.refreshHash;
    let last = nextTokens();
    for (let round = 0; round < 20; round++) {
      last = nextTokens();
      expect((await harness.store.rotate(current, last, at)).outcome).toBe("rotated");
      current = last.refreshHash;
    }
    expect(await harness.store.rotate(session.refreshHash, nextTokens(), at)).toEqual({
      outcome: "reused",
      userId: session.userId,
      device: session.device,
    });
    expect(await harness.store.byAccess(last.accessHash)).toBeUndefined();
    expect(await harness.store.rotate(current, nextTokens(), at)).toEqual({ outcome: "unknown" });
    expect((await harness.store.alive([session.familyId])).size).toBe(0);
    expect(await harness.store.devices(session.userId)).toHaveLength(1);
  });

  test("after reuse the owner logs in again on the same device", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    await harness.store.rotate(session.refreshHash, nextTokens(), at);
    await harness.store.rotate(session.refreshHash, nextTokens(), at);
    const again = await open(harness.store, session.userId, session.device);
    expect(await harness.store.byAccess(again.accessHash)).toEqual(again);
    expect(await harness.store.revoke(session.userId, "all")).toEqual([session.device]);
  });

  test("reuse closes its own family only", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const [stolen, other] = [await open(harness.store, user), await open(harness.store, user)];
    await harness.store.rotate(stolen.refreshHash, nextTokens(), at);
    await harness.store.rotate(stolen.refreshHash, nextTokens(), at);
    expect(await harness.store.alive([stolen.familyId, other.familyId])).toEqual(new Set([other.familyId]));
    expect(await harness.store.byAccess(other.accessHash)).toEqual(other);
  });

  test("of many refreshes at once with one token one rotates, the rest are reuse and end the session", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => harness.store.rotate(session.refreshHash, nextTokens(), at)),
    );
    expect(outcomes.filter(({ outcome }) => outcome === "rotated")).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === "reused")).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === "unknown")).toHaveLength(8);
    expect((await harness.store.alive([session.familyId])).size).toBe(0);
  });

  test("a refresh token is unknown from the moment it expires", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    expect(await harness.store.rotate(session.refreshHash, nextTokens(), session.refreshExpiresAt)).toEqual({
      outcome: "unknown",
    });
    expect((await harness.store.rotate(session.refreshHash, nextTokens(), session.refreshExpiresAt - 1)).outcome).toBe(
      "rotated",
    );
  });

  test("a token that was used is unknown as well once the session has expired", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    const next = nextTokens();
    await harness.store.rotate(session.refreshHash, next, at);
    expect(await harness.store.rotate(session.refreshHash, nextTokens(), next.refreshExpiresAt)).toEqual({
      outcome: "unknown",
    });
    expect((await harness.store.rotate(next.refreshHash, nextTokens(), at)).outcome).toBe("rotated");
  });

  test("an unknown refresh token, or an access token in its place, rotates nothing", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    expect(await harness.store.rotate(newHash(), nextTokens(), at)).toEqual({ outcome: "unknown" });
    expect(await harness.store.rotate(session.accessHash, nextTokens(), at)).toEqual({ outcome: "unknown" });
    expect(await harness.store.byAccess(session.accessHash)).toEqual(session);
  });

  test("sessions, and what was used before, survive the process", async () => {
    await using harness = await makeHarness();
    const session = await open(harness.store, newId());
    const next = nextTokens();
    await harness.store.rotate(session.refreshHash, next, at);
    const reopened = await harness.reopen();
    expect(await reopened.byAccess(next.accessHash)).toEqual({ ...session, ...next, version: 2 });
    expect((await reopened.rotate(session.refreshHash, nextTokens(), at)).outcome).toBe("reused");
  });
}

function revokeTests(makeHarness: MakeDurableHarness<Sessions>): void {
  test("logging a device out ends its session and keeps the device", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const [one, other] = [await open(harness.store, user), await open(harness.store, user)];
    expect(await harness.store.revoke(user, { device: 1, remove: false })).toEqual([1]);
    expect(await harness.store.byAccess(one.accessHash)).toBeUndefined();
    expect(await harness.store.byAccess(other.accessHash)).toEqual(other);
    expect(await harness.store.rotate(one.refreshHash, nextTokens(), at)).toEqual({ outcome: "unknown" });
    expect(await harness.store.devices(user)).toHaveLength(2);
    expect(await harness.store.revoke(user, { device: 1, remove: false })).toEqual([]);
    expect((await open(harness.store, user, 1)).device).toBe(1);
  });

  test("removing a device takes it off the account, logged in or not", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const sessions = await fillDevices(harness.store, user);
    await harness.store.revoke(user, { device: 2, remove: false });
    expect(await harness.store.revoke(user, { device: 2, remove: true })).toEqual([2]);
    expect(await harness.store.revoke(user, { device: 3, remove: true })).toEqual([3]);
    expect(await harness.store.revoke(user, { device: 3, remove: true })).toEqual([]);
    expect((await harness.store.devices(user)).map(({ device }) => device)).toEqual([1, 4, 5]);
    const families = sessions.map(({ familyId }) => familyId);
    expect(await harness.store.alive(families)).toEqual(new Set([families[0], families[3], families[4]]));
  });

  test("logging out everywhere ends every session of the user and nobody else's", async () => {
    await using harness = await makeHarness();
    const [user, other] = [newId(), newId()];
    const sessions = await fillDevices(harness.store, user);
    const kept = await open(harness.store, other);
    expect(await harness.store.revoke(user, "all")).toEqual([1, 2, 3, 4, 5]);
    expect(await harness.store.revoke(user, "all")).toEqual([]);
    expect(await harness.store.alive([...sessions, kept].map(({ familyId }) => familyId))).toEqual(
      new Set([kept.familyId]),
    );
    expect(await harness.store.devices(user)).toHaveLength(5);
  });

  test("what was revoked stays revoked in the next process", async () => {
    await using harness = await makeHarness();
    const user = newId();
    const [ended, kept] = [await open(harness.store, user), await open(harness.store, user)];
    await harness.store.revoke(user, { device: 1, remove: true });
    const reopened = await harness.reopen();
    expect(await reopened.alive([ended.familyId, kept.familyId, newId()])).toEqual(new Set([kept.familyId]));
    expect(await reopened.byAccess(ended.accessHash)).toBeUndefined();
    expect(await reopened.byAccess(kept.accessHash)).toEqual(kept);
    expect(await reopened.alive([])).toEqual(new Set());
  });
}
