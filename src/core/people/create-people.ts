import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { Caller, PeopleApi, VisibleProfile } from "../api.ts";
import type { User } from "../model.ts";
import type { Notice } from "../ports/bus.ts";
import type { Relations } from "../ports/relations.ts";
import type { Users } from "../ports/users.ts";
import { mayUse, standingOf, type Standing } from "./privacy.ts";

export interface PeopleDeps {
  readonly users: Users;
  readonly relations: Relations;
  /** As Bus.announce, and what this process keeps is dropped before it returns. */
  announce(notice: Notice): Promise<boolean>;
}

/** Users asked about at once by one request; each costs three reads. */
const lookupsInFlightMax = 32;

export function createPeople(deps: PeopleDeps): PeopleApi {
  return {
    async profile(caller, userId) {
      return visibleProfile(deps, caller, await deps.users.byId(userId));
    },

    async profileByHandle(caller, handle) {
      return visibleProfile(deps, caller, await deps.users.byHandle(handle));
    },

    async mayWatch(caller, userIds) {
      if (userIds.length > limits.watchedUsersMax) throw new WireError("too_large");
      const allowed = new Set<Uuid>();
      for (let start = 0; start < userIds.length; start += lookupsInFlightMax) {
        const batch = userIds.slice(start, start + lookupsInFlightMax);
        const answers = await Promise.all(batch.map((userId) => maySeePresence(deps, caller, userId)));
        for (const [index, userId] of batch.entries()) if (answers[index] === true) allowed.add(userId);
      }
      return allowed;
    },

    async block(caller, userId, blocked) {
      if (userId === caller.userId)
        throw new WireError("bad_request", { detail: "user: an account cannot block itself" });
      if ((await deps.users.byId(userId)) === undefined) throw new WireError("no_such_user");
      if (!(await deps.relations.putBlock(caller.userId, userId, blocked))) throw new WireError("too_many");
      // Also when nothing changed: this may be the repeat of one whose process died before it told anybody.
      const isTold = await deps.announce({ notice: "blocks_changed", ownerId: caller.userId, otherId: userId });
      // It stands and counts here; elsewhere it may count a minute late, which is more than an answer promises (I7).
      if (!isTold)
        throw new WireError("store_unavailable", { detail: "Other processes may not know of it: ask again." });
    },
  };
}

async function maySeePresence(deps: PeopleDeps, caller: Caller, userId: Uuid): Promise<boolean> {
  const [user, standing] = await Promise.all([
    deps.users.byId(userId),
    standingTo(deps.relations, caller.userId, userId),
  ]);
  return user !== undefined && mayUse(user.settings, "lastSeen", standing);
}

/** How `viewerId` stands to `ownerId`. */
export async function standingTo(relations: Relations, viewerId: Uuid, ownerId: Uuid): Promise<Standing> {
  if (viewerId === ownerId) return "self";
  const [ownerToViewer, viewerToOwner] = await Promise.all([
    relations.between(ownerId, viewerId),
    relations.between(viewerId, ownerId),
  ]);
  return standingOf(ownerToViewer, viewerToOwner);
}

async function visibleProfile(deps: PeopleDeps, caller: Caller, user: User | undefined): Promise<VisibleProfile> {
  if (user === undefined) throw new WireError("no_such_user");
  const standing = await standingTo(deps.relations, caller.userId, user.userId);
  const photo = mayUse(user.settings, "profilePhoto", standing) ? user.photoUrl : undefined;
  return {
    userId: user.userId,
    handle: user.handle,
    displayName: user.displayName,
    ...(mayUse(user.settings, "about", standing) ? { statusMessage: user.statusMessage } : {}),
    ...(photo === undefined ? {} : { photoUrl: photo }),
  };
}
