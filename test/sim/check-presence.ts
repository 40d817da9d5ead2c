import type { SimDevice } from "./device.ts";
import type { World } from "./world.ts";

export interface PresenceBounds {
  /** Whoever is connected for as long is shown online. */
  readonly onlineMs: number;
  /** Whoever is gone for as long is not. */
  readonly offlineMs: number;
}

/** I6: what devices show of each other is true, as far as it has been so for longer than the bounds. */
export function checkPresence(world: World, { onlineMs, offlineMs }: PresenceBounds): void {
  const { devices, users, scheduler, witness } = world;
  for (const device of devices) {
    const readyForMs = connectedForMs(device);
    if (readyForMs === undefined) continue;
    for (const userId of users) {
      const block = witness.blockBetween(device.userId, userId);
      if (userId === device.userId || block === undefined) continue;
      const isSettled = scheduler.nowMs - block.sinceMs >= Math.min(onlineMs, offlineMs);
      const isShown = device.shown.get(userId)?.online === true;
      const name = `${device.name} shows ${witness.names.of(userId)}`;
      if (isShown && block.blocked && isSettled) witness.blame("I6", `${name} online in spite of a block`);
      const goneForMs = witness.goneForMs(userId);
      // An older memory of Redis brings back connections that ended, for as long as their process holds its lease.
      if (isShown && goneForMs >= offlineMs && !world.stores.redis.wasOlder) {
        witness.blame("I6", `${name} online ${Math.round(goneForMs)} ms after the last connection`);
      }
      if (isShown || block.blocked || !isSettled) continue;
      const theirs = devices.filter((each) => each.userId === userId).map((each) => connectedForMs(each) ?? 0);
      if (Math.min(Math.max(0, ...theirs), readyForMs) >= onlineMs) {
        witness.blame("I6", `${name} offline, who is there for ${Math.round(Math.max(...theirs))} ms`);
      }
    }
  }
}

/** Undefined = it is not connected, or does not know yet that it is not any more. */
function connectedForMs({ link, readySinceMs, nowMs }: SimDevice): number | undefined {
  if (link === undefined || readySinceMs === Infinity) return undefined;
  return link.whole && !link.upDeaf && !link.downDeaf ? nowMs - readySinceMs : undefined;
}
