import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { Random } from "../../base/random.ts";
import type { DirectoryIds } from "../data/directory.ts";
import { createPersonNames } from "../data/person-names.ts";
import type { Population } from "../data/population.ts";
import type { DeviceAccess } from "../worker/messages.ts";
import type { AdminClient } from "./admin-client.ts";
import { BenchError } from "./bench-error.ts";
import { eachOf } from "./each-of.ts";
import type { HttpClient } from "./http-client.ts";

/** Who exists on the server: users in bulk with minted tokens, groups through the API as their owners would make them. */
export interface Provisioned {
  readonly ids: DirectoryIds;
  /** By device number. */
  readonly devices: readonly DeviceAccess[];
}

const groupsAtOnce = 16;

export async function provision(
  population: Population,
  run: number,
  admin: AdminClient,
  api: HttpClient,
  random: Random,
): Promise<Provisioned> {
  const userIds: Uuid[] = [];
  const devices: DeviceAccess[] = [];
  const nameOf = createPersonNames(population.spec.seed);
  // A server that is not ours may have seen this seed before.
  const suffix = `r${run.toString(36)}`;
  for (let first = 0; first < population.users; first += limits.bulkUsersMax) {
    const count = Math.min(limits.bulkUsersMax, population.users - first);
    const made = await admin.createUsers(
      Array.from({ length: count }, (_, index) => ({
        handle: population.handle(first + index) + suffix,
        display_name: nameOf(first + index),
        devices: population.devicesPerUser,
      })),
    );
    if (made.length !== count * population.devicesPerUser) {
      throw new BenchError("failed", `The server made ${made.length} devices for ${count} users.`);
    }
    made.forEach(({ userId, token, device }, index) => {
      if (index % population.devicesPerUser === 0) userIds.push(userId);
      devices.push({ token, device });
    });
  }
  const groupIds = Array.from({ length: population.groupCount }, () => createUuidV7(Date.now(), random));
  await eachOf(groupIds.entries(), groupsAtOnce, async ([group, groupId]) => {
    const [owner, ...members] = population.groupMembers(group).map((user) => user);
    await api.json({
      method: "POST",
      path: "/api/groups",
      token: (devices[population.deviceNumber(owner as number, 1)] as DeviceAccess).token,
      body: {
        group_id: groupId,
        message_id: createUuidV7(Date.now(), random),
        name: `Bench ${group}`,
        user_ids: members.map((user) => userIds[user]),
      },
    });
  });
  return { ids: { userIds, groupIds }, devices };
}
