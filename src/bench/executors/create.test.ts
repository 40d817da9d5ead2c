import { describe, expect, test } from "vitest";
import { Population } from "../data/population.ts";
import { createTargets } from "../data/targets.ts";
import { loadScenario } from "../scenario/load.ts";
import type { Workload } from "../scenario/schema.ts";
import { createExecutor } from "./create.ts";

const yaml = `version: 1
name: parts
description: one workload of each kind
population: {users: 100, contacts: 4, groups: [{members: 8, count: 5}, {members: 20, count: 3}]}
load:
  direct: {do: message.send, executor: constant-arrival-rate, rate: 500/s}
  group: {do: group.send, executor: constant-arrival-rate, rate: 100/s, members: 20}
  beat: {do: presence.heartbeat, executor: per-user-period, period: 1s}
  pages: {do: history.page, executor: closed, in_flight: 3, in: group}
phases: [{name: steady, duration: 2s}]
`;
const loaded = loadScenario("s.yaml", () => yaml);
if (!loaded.ok) throw new Error("scenario");
const { scenario } = loaded;
const population = new Population({ ...scenario.population, seed: scenario.seed });
const groups = population.groupsOfUsers(() => true);

interface Operation {
  readonly user: number;
  readonly n: number;
  readonly conversation: number;
}

function operationsOf(name: string, count = 1): Operation[] {
  const workload = scenario.workloads.find((candidate) => candidate.name === name) as Workload;
  const targets = createTargets({ workload, population, seed: 42, groupsOf: (user) => groups.get(user) ?? [] });
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const options = {
      workload,
      targets,
      seed: 42,
      users: 100,
      share: { index, count },
      inFlightMax: 100_000,
      endMs: 2_000,
    };
    const executor = createExecutor(options);
    const operations: Operation[] = [];
    for (let now = 0; now <= 2_000; now += 10) {
      executor?.poll(now, (user, n) => operations.push({ user, n, conversation: targets.conversationOf(user, n) }));
    }
    return operations;
  });
}

function inOrder(operations: readonly Operation[]): Operation[] {
  return operations.toSorted((one, other) => one.n - other.n || one.user - other.user);
}

test("senders write into conversations of their own", () => {
  const operations = operationsOf("direct");
  expect(operations).toHaveLength(1_000);
  expect(operations.every(({ user, conversation }) => population.directPeers(conversation).includes(user))).toBe(true);
  expect(new Set(operations.map(({ conversation }) => conversation)).size).toBeGreaterThan(150);
});

test("groups of the asked size are written to by their members", () => {
  const operations = operationsOf("group");
  expect(operations).toHaveLength(200);
  for (const { user, conversation } of operations) {
    expect(population.membersOf(conversation)).toHaveLength(20);
    expect(population.membersOf(conversation)).toContain(user);
  }
  expect(new Set(operations.map(({ conversation }) => conversation)).size).toBe(3);
});

test("pages are read in groups of one's own, and not by those who are in none", () => {
  for (const { user, conversation } of operationsOf("pages")) {
    const own = (groups.get(user) ?? []).map((group) => population.groupConversation(group));
    expect(own.length === 0 ? [-1] : own).toContain(conversation);
  }
});

test("heartbeats have no conversation", () => {
  expect(operationsOf("beat").every(({ conversation }) => conversation === -1)).toBe(true);
});

describe.each(["direct", "group", "beat"])("%s", (name) => {
  test("is the same work on one worker and on three", () => {
    expect(inOrder(operationsOf(name, 3))).toEqual(inOrder(operationsOf(name)));
  });
});

test("a closed workload is shared out, and a worker without a part has none", () => {
  expect(operationsOf("pages", 2)).toHaveLength(3);
  expect(operationsOf("pages", 5)).toHaveLength(3);
});
