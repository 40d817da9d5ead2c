import type { Presence, PresenceState } from "../../core/ports/presence.ts";
import { limits } from "../../protocol/limits.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { RecentMap } from "./recent-map.ts";

interface Beat {
  readonly device: number;
  readonly connection: string;
  readonly at: number;
}

interface UserPresence {
  readonly lastSeenAt: number;
  /** Live devices, longest silent first. */
  readonly beats: readonly Beat[];
}

/** A user may have this many devices beating at once: the live ones, and as many that were just removed and are not closed yet. */
const beatsPerUserMax = 2 * limits.devicesPerUserMax;
const unknown: PresenceState = { online: false, lastSeenAt: 0 };

/**
 * Presence of the users of this one process. A device counts while its last beat is younger than the TTL, so silence
 * needs no timer: it is seen by whoever looks. Of several connections of a device the one that beat last is its owner.
 *
 * @param options.usersMax users remembered, online or not; beyond it the longest silent are forgotten.
 */
export function createMemoryPresence(
  options: { readonly usersMax?: number; readonly presenceTtlMs?: number; readonly lastSeenTtlMs?: number } = {},
): Presence {
  const presenceTtlMs = options.presenceTtlMs ?? limits.presenceTtlMs;
  const lastSeenTtlMs = options.lastSeenTtlMs ?? limits.lastSeenTtlMs;
  const users = new RecentMap<UserPresence>(options.usersMax ?? 1_000_000);

  const liveBeats = (user: UserPresence | undefined, at: number): readonly Beat[] =>
    user === undefined ? [] : user.beats.filter((beat) => at - beat.at < presenceTtlMs);

  const look = (userId: Uuid, at: number): PresenceState => {
    const user = users.get(userId);
    if (user === undefined || at - user.lastSeenAt >= lastSeenTtlMs) return unknown;
    return { online: user.beats.some((beat) => at - beat.at < presenceTtlMs), lastSeenAt: user.lastSeenAt };
  };

  return {
    async beat(userId, device, connection, at) {
      const user = users.get(userId);
      const others = liveBeats(user, at).filter((beat) => beat.device !== device);
      users.set(
        userId,
        {
          lastSeenAt: Math.max(at, user?.lastSeenAt ?? 0),
          beats: [...others.slice(1 - beatsPerUserMax), { device, connection, at }],
        },
        at,
        lastSeenTtlMs,
      );
    },

    async leave(userId, device, connection, at) {
      const user = users.get(userId);
      if (!user?.beats.some((beat) => beat.device === device && beat.connection === connection)) return;
      users.set(
        userId,
        {
          lastSeenAt: Math.max(at, user.lastSeenAt),
          beats: liveBeats(user, at).filter((beat) => beat.device !== device),
        },
        at,
        lastSeenTtlMs,
      );
    },

    async lookup(userIds, at) {
      return userIds.map((userId) => look(userId, at));
    },
  };
}
