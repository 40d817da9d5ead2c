import { expect, test } from "vitest";
import { directConversationId } from "../../protocol/ids.ts";
import { Directory } from "./directory.ts";
import { Population } from "./population.ts";

const population = new Population({ seed: 1, users: 6, devices: 1, contacts: 2, groups: [{ members: 3, count: 2 }] });
const ids = {
  userIds: Array.from({ length: 6 }, (_, user) => `00000000-0000-7000-8000-00000000000${user}`),
  groupIds: ["10000000-0000-7000-8000-000000000000", "10000000-0000-7000-8000-000000000001"],
};

test("every conversation has the id that the server gives it, and is found by it", () => {
  const directory = new Directory(population, ids, () => true);
  for (let conversation = 0; conversation < population.conversationCount; conversation++) {
    const id = directory.conversationId(conversation);
    expect(directory.conversationNumber(id)).toBe(conversation);
  }
  const groups = [0, 1].map((group) => directory.conversationId(population.groupConversation(group)));
  expect(groups).toEqual(ids.groupIds);
  const [one, other] = population.directPeers(0);
  expect(directory.conversationId(0)).toBe(directConversationId(directory.userId(one), directory.userId(other)));
});

test("a worker knows the conversations of its own users only", () => {
  const directory = new Directory(population, ids, (user) => user === 0);
  const known = Array.from({ length: population.conversationCount }, (_, conversation) => conversation).filter(
    (conversation) => population.membersOf(conversation).includes(0),
  );
  expect(known.length).toBeLessThan(population.conversationCount);
  for (const conversation of known) expect(directory.conversationId(conversation)).toBeDefined();
  expect(() => directory.conversationId(population.directConversation(3, 0))).toThrow("a known conversation");
  expect(directory.userNumber(ids.userIds[4] as string)).toBe(4);
  expect(directory.userNumber("20000000-0000-7000-8000-000000000000")).toBeUndefined();
});
