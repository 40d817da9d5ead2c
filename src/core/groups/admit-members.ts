import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { CorePorts } from "../api.ts";
import { mayUse, standingOf } from "../people/privacy.ts";

type AdmitPorts = Pick<CorePorts, "users" | "relations" | "groups">;

/** Users asked for at once: adding hundreds must not flood a store. */
const inFlightMax = 32;

/**
 * Whether `actorId` may put these users into a group: each exists, lets the actor (`groups` setting and blocks), and has
 * room for one more group. Throws `no_such_user`, `privacy_refused` or `too_many` for the first who does not.
 */
export async function admitMembers(ports: AdmitPorts, actorId: Uuid, userIds: readonly Uuid[]): Promise<void> {
  for (let from = 0; from < userIds.length; from += inFlightMax) {
    await Promise.all(userIds.slice(from, from + inFlightMax).map((userId) => admit(ports, actorId, userId)));
  }
}

async function admit(ports: AdmitPorts, actorId: Uuid, userId: Uuid): Promise<void> {
  const user = await ports.users.byId(userId);
  if (user === undefined) throw new WireError("no_such_user", { detail: `There is no user ${userId}.` });
  const standing = standingOf(
    await ports.relations.between(userId, actorId),
    await ports.relations.between(actorId, userId),
  );
  if (!mayUse(user.settings, "groups", standing)) {
    throw new WireError("privacy_refused", { detail: `The privacy settings of ${userId} do not allow it.` });
  }
  await admitGroup(ports, userId);
}

/** Whether the user may be in one more group. */
export async function admitGroup(ports: Pick<CorePorts, "groups">, userId: Uuid): Promise<void> {
  const groups = await ports.groups.ofUser(userId);
  if (groups.length >= limits.groupsPerUserMax) {
    throw new WireError("too_many", { detail: `${userId} is in ${groups.length} groups.` });
  }
}

/** Throws `too_many_members` for a group of more than `membersMax`. */
export function checkGroupSize(members: number, membersMax: number): void {
  if (members > membersMax) {
    throw new WireError("too_many_members", {
      detail: `A group may have ${membersMax} members, this one would have ${members}.`,
    });
  }
}
