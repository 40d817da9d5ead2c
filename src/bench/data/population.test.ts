import { describe, expect, test } from "vitest";
import { isUuidV7 } from "../../protocol/ids.ts";
import { Population, problemsOfPopulation, type PopulationSpec } from "./population.ts";

const spec: PopulationSpec = {
  seed: 42,
  users: 100,
  devices: 2,
  contacts: 5,
  groups: [
    { members: 8, count: 4 },
    { members: 64, count: 2 },
  ],
};
const population = new Population(spec);

test("ids are valid, distinct and depend on the seed only", () => {
  const ids = new Set<string>();
  for (let user = 0; user < spec.users; user++) ids.add(population.userId(user));
  for (let group = 0; group < population.groupCount; group++) ids.add(population.groupId(group));
  expect(ids.size).toBe(spec.users + 6);
  for (const id of ids) expect(isUuidV7(id)).toBe(true);
  expect(new Population(spec).userId(7)).toBe(population.userId(7));
  expect(new Population({ ...spec, seed: 43 }).userId(7)).not.toBe(population.userId(7));
});

test("handles are unique and fit the limits", () => {
  const handles = Array.from({ length: spec.users }, (_, user) => population.handle(user));
  expect(new Set(handles).size).toBe(spec.users);
  for (const handle of handles) expect(handle).toMatch(/^[a-z0-9]{4,32}$/);
});

describe.each([1, 2, 5, 8])("%d contacts", (contacts) => {
  const ring = new Population({ ...spec, contacts });

  test("are distinct, mutual, and never oneself", () => {
    for (let user = 0; user < ring.users; user++) {
      const list = Array.from({ length: contacts }, (_, k) => ring.contact(user, k));
      expect(new Set(list).size).toBe(contacts);
      expect(list).not.toContain(user);
      for (const other of list) {
        const back = Array.from({ length: contacts }, (_, k) => ring.contact(other, k));
        expect(back).toContain(user);
      }
    }
  });

  test("share one conversation number per pair", () => {
    const seen = new Map<number, Set<number>>();
    for (let user = 0; user < ring.users; user++) {
      for (let k = 0; k < contacts; k++) {
        const conversation = ring.directConversation(user, k);
        expect(new Set(ring.directPeers(conversation))).toEqual(new Set([user, ring.contact(user, k)]));
        seen.set(conversation, (seen.get(conversation) ?? new Set()).add(user));
      }
    }
    expect(seen.size).toBe(ring.directCount);
    expect(Math.max(...seen.keys())).toBe(ring.directCount - 1);
    for (const users of seen.values()) expect(users.size).toBe(2);
  });
});

test("members of a group are distinct and in range, and place 0 is among them", () => {
  for (let group = 0; group < population.groupCount; group++) {
    const members = population.groupMembers(group);
    expect(new Set(members).size).toBe(population.groupSize(group));
    expect(members).toContain(population.groupMember(group, 0));
    expect(members.every((user) => user >= 0 && user < spec.users)).toBe(true);
    expect(members[3]).toBe(population.groupMember(group, 3));
  }
});

test("groups are found by size and by user", () => {
  expect(population.groupsOfSize(8)).toEqual([0, 4]);
  expect(population.groupsOfSize(64)).toEqual([4, 6]);
  expect(population.groupsOfSize(9)).toEqual([0, 0]);
  expect(population.groupSize(5)).toBe(64);
  const own = population.groupsOfUsers((user) => user % 2 === 1);
  const memberships = [...own.values()].reduce((sum, groups) => sum + groups.length, 0);
  const other = [...population.groupsOfUsers((user) => user % 2 === 0).values()].reduce(
    (sum, groups) => sum + groups.length,
    0,
  );
  expect(memberships + other).toBe(4 * 8 + 2 * 64);
  for (const [user, groups] of own) for (const group of groups) expect(population.groupMembers(group)).toContain(user);
});

test("device and conversation numbers can be taken apart", () => {
  expect(population.deviceNumber(3, 1)).toBe(6);
  expect(population.deviceNumber(3, 2)).toBe(7);
  expect(population.userOfDevice(7)).toBe(3);
  expect(population.isDirect(population.directCount)).toBe(false);
  expect(population.conversationId(population.directCount)).toBe(population.groupId(0));
  expect(population.membersOf(0)).toEqual([0, 1]);
});

test("impossible populations are explained", () => {
  expect(problemsOfPopulation({ ...spec, users: 4, groups: [] })).toEqual(["5 contacts need at least 6 users"]);
  expect(problemsOfPopulation({ ...spec, users: 101 })).toEqual([
    "an odd number of contacts needs an even number of users",
  ]);
  expect(problemsOfPopulation({ ...spec, users: 50 })).toEqual(["groups of 64 need at least 64 users"]);
  expect(
    problemsOfPopulation({
      ...spec,
      groups: [
        { members: 8, count: 1 },
        { members: 8, count: 2 },
      ],
    }),
  ).toHaveLength(1);
});
