import { limits } from "../../protocol/limits.ts";
import { mixFloat, seedFor } from "../data/mix.ts";
import type { Population } from "../data/population.ts";
import type { FaultEvent } from "../faults/fault-event.ts";
import { checkPresence } from "../presence/check-presence.ts";
import type { PresenceVerdict } from "../presence/presence-verdict.ts";
import { presenceShareOf } from "../scenario/presence-share.ts";
import type { Scenario } from "../scenario/schema.ts";
import type { PresencePerson, PresenceSetup, WorkerReport } from "../worker/messages.ts";
import type { AdminClient } from "./admin-client.ts";

/**
 * Who is watched, and by whom, in a run that checks presence (promise I6): a share of the population, and people who are
 * there for nothing else, since those of the load seldom come and go. Each server has at first one watcher, one commuter,
 * two who vanish and one who stays away when its server has died (worker/presence-cast.ts); all watchers watch everybody,
 * so each is seen from the own server and from the others. Watchers live in the first worker, those who come and go in
 * the last one.
 */
const usersMin = 8;
const castPerServer = ["watcher", "commuter", "vanisher", "vanisher", "mortal"] as const;

export interface PresencePlan {
  setupOf(worker: number, workers: number): PresenceSetup;
  verdict(reports: readonly WorkerReport[], faults: readonly FaultEvent[]): PresenceVerdict;
}

/** Makes its people. Undefined: presence is not checked. */
export async function planPresence(
  scenario: Scenario,
  parts: {
    readonly population: Population;
    readonly userIds: readonly string[];
    /** Identifies the run. */
    readonly run: number;
    readonly servers: number;
    readonly admin: AdminClient;
  },
): Promise<PresencePlan | undefined> {
  const share = presenceShareOf(scenario);
  if (share === 0) return undefined;
  const { population, userIds, run, servers, admin } = parts;
  const roles = castPerServer.flatMap((role) => Array.from({ length: servers }, () => role));
  const made = await admin.createUsers(
    roles.map((_, number) => ({
      handle: `p${run.toString(36)}n${number.toString(36)}`,
      display_name: "Presence",
      devices: 1,
    })),
  );
  const people = made.map((one, number): PresencePerson => {
    return { userId: one.userId, token: one.token, device: one.device, role: roles[number] ?? "watcher", number };
  });
  const subjects = people.filter(({ role }) => role !== "watcher").map(({ userId }) => userId);
  const users = sampleOf(population.users, share, scenario.seed, limits.watchedUsersMax - subjects.length);
  const watched = [...subjects, ...users.map((user) => userIds[user] as string)];
  return {
    setupOf: (worker, workers) => ({
      people: people.filter(({ role }) => worker === (role === "watcher" ? 0 : workers - 1)),
      watched,
      users,
    }),
    verdict: (reports, faults) =>
      checkPresence(
        reports.flatMap(({ presence }) => presence ?? []),
        faults,
      ),
  };
}

/** The users whom the seed gives the lowest numbers. */
function sampleOf(users: number, share: number, seed: number, countMax: number): number[] {
  const count = Math.min(users, countMax, Math.max(usersMin, Math.ceil(users * share)));
  const drawn = seedFor(seed, "presence");
  return Array.from({ length: users }, (_, user) => user)
    .toSorted((one, other) => mixFloat(drawn, one, 0) - mixFloat(drawn, other, 0))
    .slice(0, count);
}
