import type { Workload } from "../scenario/schema.ts";
import { mix32, mixBelow, seedFor } from "./mix.ts";
import type { Population } from "./population.ts";
import { createSelection, type Selection } from "./selection.ts";

/**
 * Who acts in the n-th operation of a workload, and in which conversation: functions of (seed, workload's name, user, n).
 * For group.send an arrival picks a group first and then one of its members, so both come from n alone.
 */
export interface Targets {
  /** User of the n-th arrival; for the arrival and closed executors. */
  readonly selectUser: Selection;
  /** Conversation of operation n of a user; −1 when the operation has none, or the user is in no group. */
  readonly conversationOf: (user: number, n: number) => number;
}

export interface TargetsOptions {
  readonly workload: Workload;
  readonly population: Population;
  readonly seed: number;
  /** Groups of an own user; needed for history pages in groups. */
  readonly groupsOf?: (user: number) => readonly number[];
}

export function createTargets(options: TargetsOptions): Targets {
  const { workload, population } = options;
  const seed = seedFor(options.seed, `targets ${workload.name}`);
  if (workload.do === "group.send") return groupTargets(workload.options, population, seed);
  const { when } = workload;
  const users = when.executor === "per-user-period" ? ({ kind: "uniform" } as const) : when.options.users;
  const selectUser = createSelection(users, population.users, seedFor(seed, "users"));
  if (workload.do === "message.send") {
    const to = createSelection(workload.options.to, Math.max(1, population.spec.contacts), seedFor(seed, "contacts"));
    return { selectUser, conversationOf: (user, n) => population.directConversation(user, to(mix32(seed, user, n))) };
  }
  if (workload.do !== "history.page") return { selectUser, conversationOf: () => -1 };
  if (workload.options.in === "direct") {
    const { contacts } = population.spec;
    return {
      selectUser,
      conversationOf: (user, n) => population.directConversation(user, mixBelow(seed, user, n, contacts)),
    };
  }
  return {
    selectUser,
    conversationOf(user, n) {
      const groups = options.groupsOf?.(user) ?? [];
      const group = groups[mixBelow(seed, user, n, groups.length)];
      return group === undefined ? -1 : population.groupConversation(group);
    },
  };
}

function groupTargets(
  { members, groups }: Extract<Workload, { do: "group.send" }>["options"],
  population: Population,
  seed: number,
): Targets {
  const [first, end] = population.groupsOfSize(members);
  const select = createSelection(groups, Math.max(1, end - first), seedFor(seed, "groups"));
  return {
    selectUser: (n) => population.groupMember(first + select(n), mixBelow(seed, n, 1, members)),
    conversationOf: (_user, n) => population.groupConversation(first + select(n)),
  };
}
