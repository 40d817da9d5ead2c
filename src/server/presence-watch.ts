import type { Clock } from "../base/clock.ts";
import type { Caller, PeopleApi } from "../core/api.ts";
import type { Presence, PresenceInterest, PresenceState } from "../core/ports/presence.ts";
import type { ServerFrame, ServerFrameOf } from "../protocol/frames/server-frames.ts";
import { limits } from "../protocol/limits.ts";
import type { Uuid } from "../protocol/ids.ts";

/** What presence needs of a connection. */
export interface PresentConnection {
  readonly id: string;
  readonly caller: Caller;
  present: boolean;
  memory: { watched: Set<Uuid> | undefined } | undefined;
  send(frame: ServerFrame): void;
}

export interface PresenceWatchOptions {
  readonly presence: Presence;
  /** Undefined where there is one process only. */
  readonly interest: PresenceInterest | undefined;
  readonly people: Pick<PeopleApi, "mayWatch">;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

interface Told {
  news: string;
  /** The look that brought it: one that began before it has nothing to say any more. */
  look: number;
}

/** Longest time between a change and its push; several changes of one user in it are one push. */
export const presenceCoalesceMs = 200;
/** How often the states of all watched users are read again: entries that ended by themselves, and news that were lost. */
export const presenceRefreshMs = 5_000;
const lookupUsersMax = 1_000;

/**
 * Who is online, told to those who watch.
 *
 * Connections beat here and leave here; the store holds the states. A change marks the user here and at every process that
 * wants to hear of it, a timer gathers the marks, reads the states once and tells each watcher what is new to it. Whether a watcher may know is asked again at every
 * push, since settings and blocks change; who may not know sees "offline, last seen unknown", like of someone who
 * does not exist. Watchers are bounded by connections × watchedUsersMax.
 */
export class PresenceWatch {
  readonly #options: PresenceWatchOptions;
  /** Watched user → watching connection → what it was told last. */
  readonly #watchers = new Map<Uuid, Map<PresentConnection, Told>>();
  #looks = 0;
  readonly #marked = new Set<Uuid>();
  #scheduled = false;
  #refreshAtMs = 0;

  constructor(options: PresenceWatchOptions) {
    this.#options = options;
    options.interest?.onTold((userIds) => this.heard(userIds));
  }

  /** A heartbeat, or the HELLO that is the first one. */
  beat(connection: PresentConnection): void {
    const { presence, clock } = this.#options;
    const { userId, device } = connection.caller;
    const beating = presence.beat(userId, device, connection.id, clock.nowMs());
    if (connection.present) beating.catch(this.#options.onError);
    else this.#markAfter(beating, userId);
    connection.present = true;
  }

  /** The connection closed or fell silent: it makes nobody look online any more. Idempotent. */
  leave(connection: PresentConnection): void {
    if (!connection.present) return;
    connection.present = false;
    const { presence, clock } = this.#options;
    const { userId, device } = connection.caller;
    this.#markAfter(presence.leave(userId, device, connection.id, clock.nowMs()), userId);
  }

  /** Answers the state of each user at once and their changes from now on. At most watchedUsersMax in all. */
  async watch(connection: PresentConnection, userIds: readonly Uuid[]): Promise<boolean> {
    const memory = connection.memory;
    if (memory === undefined) return false;
    const watched = (memory.watched ??= new Set());
    const fresh = new Set(userIds.filter((userId) => !watched.has(userId)));
    if (watched.size + fresh.size > limits.watchedUsersMax) return false;
    for (const userId of userIds) {
      watched.add(userId);
      const watchers = this.#watchers.get(userId) ?? new Map<PresentConnection, Told>();
      this.#watchers.set(userId, watchers.set(connection, { news: "", look: 0 }));
    }
    // Before the look, so that no change falls between the two.
    await this.#options.interest?.want(userIds);
    await this.#tell([...new Set(userIds)], connection);
    return true;
  }

  unwatch(connection: PresentConnection, userIds: Iterable<Uuid>): void {
    const left: Uuid[] = [];
    for (const userId of userIds) {
      connection.memory?.watched?.delete(userId);
      const watchers = this.#watchers.get(userId);
      watchers?.delete(connection);
      if (watchers?.size !== 0) continue;
      this.#watchers.delete(userId);
      left.push(userId);
    }
    if (left.length > 0) void this.#options.interest?.release(left);
  }

  /** What this user shares changed, and is stored: who watches is told, on every process. */
  changed(userId: Uuid): void {
    this.#mark(userId);
    this.#options.interest?.tell(userId);
  }

  /** Something about these users changed that every process hears of by itself. */
  heard(userIds: readonly Uuid[]): void {
    for (const userId of userIds) this.#mark(userId);
  }

  /** The connection is over. */
  forget(connection: PresentConnection): void {
    this.leave(connection);
    this.unwatch(connection, [...(connection.memory?.watched ?? [])]);
  }

  /** To be called about once a second. */
  tick(): void {
    const now = this.#options.clock.monotonicMs();
    if (now < this.#refreshAtMs) return;
    this.#refreshAtMs = now + presenceRefreshMs;
    this.#options.interest?.want([...this.#watchers.keys()]).catch(this.#options.onError);
    for (const userId of this.#watchers.keys()) this.#mark(userId);
  }

  /** The change is news once the store has it. */
  #markAfter(change: Promise<void>, userId: Uuid): void {
    change.then(() => this.changed(userId)).catch(this.#options.onError);
  }

  #mark(userId: Uuid): void {
    if (!this.#watchers.has(userId)) return;
    this.#marked.add(userId);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.clock.schedule(presenceCoalesceMs, () => {
      this.#scheduled = false;
      const userIds = [...this.#marked];
      this.#marked.clear();
      this.#tell(userIds, undefined).catch(this.#options.onError);
    });
  }

  /** Tells one connection, or everyone who watches, what is new about these users. */
  async #tell(userIds: readonly Uuid[], only: PresentConnection | undefined): Promise<void> {
    const { presence, clock } = this.#options;
    for (let from = 0; from < userIds.length; from += lookupUsersMax) {
      const slice = userIds.slice(from, from + lookupUsersMax);
      const look = ++this.#looks;
      const states = await presence.lookup(slice, clock.nowMs());
      const stateOf = new Map(slice.map((userId, at) => [userId, states[at] as PresenceState]));
      for (const [connection, watched] of this.#audience(slice, only)) {
        await this.#push(connection, watched, stateOf, look);
      }
    }
  }

  #audience(userIds: readonly Uuid[], only: PresentConnection | undefined): Map<PresentConnection, Uuid[]> {
    const audience = new Map<PresentConnection, Uuid[]>();
    for (const userId of userIds) {
      for (const connection of this.#watchers.get(userId)?.keys() ?? []) {
        if (only !== undefined && connection !== only) continue;
        const watched = audience.get(connection);
        if (watched === undefined) audience.set(connection, [userId]);
        else watched.push(userId);
      }
    }
    return audience;
  }

  async #push(
    connection: PresentConnection,
    userIds: Uuid[],
    stateOf: Map<Uuid, PresenceState>,
    look: number,
  ): Promise<void> {
    const allowed = await this.#options.people.mayWatch(connection.caller, userIds);
    for (const userId of userIds) {
      const told = this.#watchers.get(userId)?.get(connection);
      if (told === undefined || told.look > look) continue;
      told.look = look;
      const frame = presenceFrame(userId, allowed.has(userId) ? stateOf.get(userId) : undefined);
      // While someone is online the time last seen moves with every heartbeat: that alone is no news.
      const news = frame.online ? "online" : `offline ${frame.last_seen ?? ""}`;
      if (news === told.news) continue;
      told.news = news;
      connection.send(frame);
    }
  }
}

function presenceFrame(userId: Uuid, state: PresenceState | undefined): ServerFrameOf<"PRESENCE"> {
  return {
    type: "PRESENCE",
    user_id: userId,
    online: state?.online ?? false,
    ...(state === undefined || state.lastSeenAt === 0 ? {} : { last_seen: state.lastSeenAt }),
  };
}
