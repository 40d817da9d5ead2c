import { expect, test } from "vitest";
import { OwedRows } from "./owed-rows.ts";

/** Two users with a device each in conversation 0, and alone in 1 and 2; worker i owns user i. */
function worker(index: number) {
  const acked = [0, 0, 0];
  const heads = new Map<string, { head: number; filling: boolean }>();
  const state = { isAway: false, connectionState: "ready" as "ready" | "stopped" };
  const rows = new OwedRows({
    population: { conversationCount: 3, devicesPerUser: 1, membersOf: (c) => (c === 0 ? [0, 1] : [c - 1]) },
    slots: { ownsUser: (user) => user === index, firstOf: () => 0 },
    directory: { conversationId: (conversation) => String(conversation) },
    recorder: { ackedSeq: (conversation) => acked[conversation] as number },
    fleet: {
      machine: () => ({ conversation: (id) => heads.get(id) as never, connectionState: state.connectionState }),
      isAway: () => state.isAway,
    },
  });
  return { acked, heads, state, rows };
}

test("who has all that was acked lacks nothing; one row less, or a hole, is a lack", () => {
  const { acked, heads, rows } = worker(0);
  expect(rows.lacks()).toBe(false);
  acked[0] = 7;
  rows.news();
  expect(rows.lacks()).toBe(true);
  heads.set("0", { head: 6, filling: false });
  expect(rows.lacks()).toBe(true);
  heads.set("0", { head: 7, filling: true });
  expect(rows.lacks()).toBe(true);
  heads.set("0", { head: 7, filling: false });
  expect(rows.lacks()).toBe(false);
  heads.set("0", { head: 9, filling: false });
  expect(rows.lacks()).toBe(false);
});

test("what another worker's sender was acked is lacked once it is heard of", () => {
  const [one, other] = [worker(0), worker(1)];
  one.acked[0] = 3;
  one.acked[1] = 5;
  const news = one.rows.news();
  expect([...news]).toEqual([0, 3, 1, 5]);
  expect(other.rows.lacks()).toBe(false);
  other.rows.hear(news, 4);
  expect(other.rows.version).toBe(4);
  expect(other.rows.lacks()).toBe(true);
  other.heads.set("0", { head: 3, filling: false });
  // Conversation 1 is none of its users'.
  expect(other.rows.lacks()).toBe(false);
});

test("news are told once, and again when they grow", () => {
  const { acked, rows } = worker(0);
  acked[1] = 5;
  expect([...rows.news()]).toEqual([1, 5]);
  expect([...rows.news()]).toEqual([]);
  acked[1] = 6;
  acked[0] = 1;
  expect([...rows.news()]).toEqual([0, 1, 1, 6]);
});

test("devices that are away or have ended are not asked", () => {
  const { acked, state, rows } = worker(0);
  acked[0] = 1;
  rows.news();
  state.isAway = true;
  expect(rows.lacks()).toBe(false);
  state.isAway = false;
  state.connectionState = "stopped";
  expect(rows.lacks()).toBe(false);
});
