import { describe, expect, test } from "vitest";
import { createMemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Caller } from "../api.ts";
import type { Audience } from "../model.ts";
import type { Notice } from "../ports/bus.ts";
import { createPeople } from "./create-people.ts";
import type { Standing } from "./privacy.ts";

const by = (userId: Uuid): Caller => ({ userId, device: 1 });

function setUp() {
  const world = createMemoryWorld();
  const notices: Notice[] = [];
  const bus = { isTold: true };
  const announce = async (notice: Notice) => {
    notices.push(notice);
    return bus.isTold;
  };
  const people = createPeople({ ...world.ports(), announce });
  const owner = world.user();
  return { world, notices, announce, bus, people, owner };
}

const audiences: readonly Audience[] = ["everyone", "contacts", "nobody"];
const standings: readonly (Standing | "blocking")[] = ["self", "contact", "stranger", "blocked", "blocking"];
const cells = audiences.flatMap((audience) => standings.map((standing) => [audience, standing] as const));

/** The matrix as its users know it. */
function expected(audience: Audience, standing: Standing | "blocking"): boolean {
  if (standing === "self") return true;
  if (standing === "blocked" || standing === "blocking") return false;
  return audience === "everyone" || (audience === "contacts" && standing === "contact");
}

describe.each(cells)("for %s, seen by %s", (audience, standing) => {
  async function viewer() {
    const { world, people, owner } = setUp();
    const viewerId = standing === "self" ? owner : world.user();
    const settings = { lastSeen: audience, profilePhoto: audience, about: audience, groups: audience };
    await world.users.update(owner, { statusMessage: "busy", photoUrl: "https://photo.example/1" }, settings);
    // A block must win over being a contact.
    if (standing !== "stranger" && standing !== "self")
      await world.relations.putContact(owner, { userId: viewerId, name: "" });
    if (standing === "blocked") await world.relations.putBlock(owner, viewerId, true);
    if (standing === "blocking") await world.relations.putBlock(viewerId, owner, true);
    return { people, owner, viewer: by(viewerId) };
  }

  test("about, photo and presence", async () => {
    const { people, owner, viewer: caller } = await viewer();
    const profile = await people.profile(caller, owner);
    const allowed = expected(audience, standing);
    expect("statusMessage" in profile).toBe(allowed);
    expect("photoUrl" in profile).toBe(allowed);
    expect((await people.mayWatch(caller, [owner])).has(owner)).toBe(allowed);
    expect(profile.handle).toBe(`user-${owner}`);
  });
});

describe("people", () => {
  test("being a contact is the owner's word, not the viewer's", async () => {
    const { world, people, owner } = setUp();
    const viewer = world.user();
    await world.users.update(owner, {}, { lastSeen: "contacts" });
    await world.relations.putContact(viewer, { userId: owner, name: "" });
    expect(await people.mayWatch(by(viewer), [owner])).toEqual(new Set());
    await world.relations.putContact(owner, { userId: viewer, name: "" });
    expect(await people.mayWatch(by(viewer), [owner])).toEqual(new Set([owner]));
  });

  test("a profile is found by handle, whatever the case", async () => {
    const { world, people, owner } = setUp();
    const caller = by(world.user());
    expect(await people.profileByHandle(caller, `USER-${owner}`)).toMatchObject({ userId: owner });
    await expect(people.profileByHandle(caller, "nobody-here")).rejects.toMatchObject({ code: "no_such_user" });
    await expect(people.profile(caller, world.id())).rejects.toMatchObject({ code: "no_such_user" });
  });

  test("watching skips who does not exist, and is bounded", async () => {
    const { world, people, owner } = setUp();
    const caller = by(world.user());
    const many = Array.from({ length: limits.watchedUsersMax - 1 }, () => world.id());
    expect(await people.mayWatch(caller, [...many, owner])).toEqual(new Set([owner]));
    await expect(people.mayWatch(caller, [...many, owner, owner])).rejects.toMatchObject({ code: "too_large" });
  });

  test("a block is stored, then announced; so is its end", async () => {
    const { world, notices, people, owner } = setUp();
    const other = world.user();
    await people.block(by(owner), other, true);
    expect(await world.relations.blocks(owner)).toEqual([other]);
    await people.block(by(owner), other, false);
    expect(await world.relations.blocks(owner)).toEqual([]);
    const notice = { notice: "blocks_changed", ownerId: owner, otherId: other };
    expect(notices).toEqual([notice, notice]);
  });

  test("nobody blocks oneself or somebody who is not there", async () => {
    const { world, notices, people, owner } = setUp();
    await expect(people.block(by(owner), owner, true)).rejects.toMatchObject({ code: "bad_request" });
    await expect(people.block(by(owner), world.id(), true)).rejects.toMatchObject({ code: "no_such_user" });
    expect(notices).toEqual([]);
  });

  test("a block that others may not have heard of is not answered as done, and its repeat tells them again", async () => {
    const { world, notices, people, owner, bus } = setUp();
    const other = world.user();
    bus.isTold = false;
    await expect(people.block(by(owner), other, true)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await world.relations.blocks(owner)).toEqual([other]);
    bus.isTold = true;
    await people.block(by(owner), other, true);
    expect(notices).toHaveLength(2);
    expect(notices[1]).toEqual({ notice: "blocks_changed", ownerId: owner, otherId: other });
  });

  test("a full block list is refused by name", async () => {
    const { world, notices, announce, owner } = setUp();
    const full = { ...world.ports(), announce };
    full.relations.putBlock = () => Promise.resolve(false);
    await expect(createPeople(full).block(by(owner), world.user(), true)).rejects.toMatchObject({ code: "too_many" });
    expect(notices).toEqual([]);
  });
});
