import { expect, test } from "vitest";
import { limits } from "../../protocol/limits.ts";
import { createMemoryPresence } from "./presence.ts";
import { createMemoryTyping } from "./typing.ts";

test("beyond the bound the longest silent users are forgotten, not the ones that just beat", async () => {
  const presence = createMemoryPresence({ usersMax: 10 });
  for (let index = 0; index < 100; index++) await presence.beat(`user${index}`, 1, "c", index);
  const [first, last] = await presence.lookup(["user0", "user99"], 100);
  expect(first).toEqual({ online: false, lastSeenAt: 0 });
  expect(last).toEqual({ online: true, lastSeenAt: 99 });
});

test("a user with more devices than an account may have keeps the ones that beat last", async () => {
  const presence = createMemoryPresence();
  const devices = 4 * limits.devicesPerUserMax;
  for (let device = 1; device <= devices; device++) await presence.beat("user", device, "c", 0);
  const kept = 2 * limits.devicesPerUserMax;
  for (let device = devices; device > devices - kept + 1; device--) await presence.leave("user", device, "c", 0);
  expect((await presence.lookup(["user"], 0))[0]?.online).toBe(true);
  await presence.leave("user", devices - kept + 1, "c", 0);
  expect((await presence.lookup(["user"], 0))[0]?.online).toBe(false);
});

test("typists of one conversation are bounded; the latest are kept", async () => {
  const typing = createMemoryTyping();
  for (let index = 0; index <= limits.membersPerGroupMax; index++) await typing.start("group", `user${index}`, 0);
  const listed = await typing.list("group", 0);
  expect(listed).toHaveLength(limits.membersPerGroupMax);
  expect(listed).not.toContain("user0");
});
