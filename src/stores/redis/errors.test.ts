import { expect, test } from "vitest";
import { StoreError } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { toStoreError, toWireError } from "./errors.ts";

const reply = (message: string) => Object.assign(new Error(message), { name: "ReplyError" });

test.each([
  [reply("OOM command not allowed when used memory > 'maxmemory'."), "storage_full"],
  [reply("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist"), "storage_full"],
  [reply("READONLY You can't write against a read only replica."), "storage_full"],
  [reply("LOADING Redis is loading the dataset in memory"), "store_unavailable"],
  [reply("NOAUTH Authentication required."), "store_unavailable"],
  [new Error("Command timed out"), "store_unavailable"],
  [new Error("Connection is closed."), "store_unavailable"],
  [new Error("Stream isn't writeable and enableOfflineQueue options is false"), "store_unavailable"],
])("%s is told to clients as %s", (error, code) => {
  const told = toWireError(error) as WireError;
  expect(told).toBeInstanceOf(WireError);
  expect(told.code).toBe(code);
  expect(told.cause).toBe(error);
});

test("a mistake of ours stays what it is", () => {
  const mistake = reply("WRONGTYPE Operation against a key holding the wrong kind of value");
  expect(toWireError(mistake)).toBe(mistake);
  const known = new WireError("rate_limited");
  expect(toWireError(known)).toBe(known);
});

test("an operator hears which Redis, why, and what to do, and no secret", () => {
  const refused = toStoreError(reply("WRONGPASS invalid username-password pair or user is disabled."), "cache:6379");
  expect(refused).toMatchObject({ store: "redis", kind: "wrong_password" });
  expect(refused.message).toContain("cache:6379");
  expect(refused.fix).toContain("redis.password");
  const unreachable = toStoreError(new Error("connect ECONNREFUSED 127.0.0.1:1"), "127.0.0.1:1");
  expect(unreachable).toMatchObject({ kind: "unreachable" });
  expect(unreachable.fix).toContain("msgr stack up");
  const known = new StoreError("redis", "wrong_version", "old", "update");
  expect(toStoreError(known, "x")).toBe(known);
});
