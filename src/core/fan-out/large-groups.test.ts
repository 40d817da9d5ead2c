import { beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { Belief } from "../belief.ts";
import { DirectoryCache } from "../directory-cache.ts";
import type { Group } from "../model.ts";
import { LargeGroups } from "./large-groups.ts";

const random = createSeededRandom(5);
const groupId: Uuid = createUuidV7(1, random);
const always = { hearing: () => ({ sinceMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY }) };

let loads: Deferred<Group | undefined>[];
let groups: LargeGroups;

function groupOf(size: number): Group {
  const members = Array.from({ length: size }, () => ({
    userId: createUuidV7(1, random),
    role: "member" as const,
    joinedSeq: 1,
  }));
  return { groupId, name: "crowd", creatorId: groupId, createdAt: 0, membership: 1, members };
}

const small = groupOf(limits.membersDirectFanOutMax);
const large = groupOf(limits.membersDirectFanOutMax + 1);

beforeEach(() => {
  loads = [];
  const load = (): Promise<Group | undefined> => {
    const answer = createDeferred<Group | undefined>();
    loads.push(answer);
    return answer.promise;
  };
  const clock = new ManualClock();
  groups = new LargeGroups({ load }, new DirectoryCache(new Belief({ bus: always, clock }, Infinity)), clock);
});

test("a group that changes while it is read is read again", async () => {
  const before = groups.has(groupId);
  groups.forget(groupId);
  loads[0]?.resolve(small);
  expect(await before).toBe(false);
  const after = groups.has(groupId);
  loads[1]?.resolve(large);
  expect(await after).toBe(true);
  expect(await groups.has(groupId)).toBe(true);
  expect(loads).toHaveLength(2);
});

test("all who ask while it is read wait for that; what could not be read is asked for again", async () => {
  const asked = [groups.has(groupId), groups.has(groupId)];
  expect(loads).toHaveLength(1);
  loads[0]?.reject(new Error("no answer"));
  expect((await Promise.allSettled(asked)).map((each) => each.status)).toEqual(["rejected", "rejected"]);
  const again = groups.has(groupId);
  loads[1]?.resolve(large);
  expect(await again).toBe(true);
});
