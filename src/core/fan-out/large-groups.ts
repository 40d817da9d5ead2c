import type { Clock } from "../../base/clock.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { DirectoryCache } from "../directory-cache.ts";
import type { Groups } from "../ports/groups.ts";
import { isLarge } from "./chunks.ts";

interface Entry {
  /** Under way or done: the many who come after an outage ask once. */
  readonly large: Promise<boolean>;
  readonly readAt: number;
}

const entriesMax = 100_000;
/** Notices of changes may be lost; a group that crossed the border is then seen as it was for so long. */
const ageMsMax = 300_000;

/**
 * Which groups are large, for readers: their lists follow the log with a delay, so that a sync looks at the log of each.
 * Only a hint of what is worth a read; who writes decides by the membership that the append is conditioned on.
 */
export class LargeGroups {
  readonly #groups: Pick<Groups, "load">;
  readonly #directory: DirectoryCache;
  readonly #clock: Clock;
  readonly #entries = new Map<Uuid, Entry>();

  constructor(groups: Pick<Groups, "load">, directory: DirectoryCache, clock: Clock) {
    this.#groups = groups;
    this.#directory = directory;
    this.#clock = clock;
  }

  /** A reading that began before `forget` is not kept. Rejects with the WireError of the store. */
  async has(groupId: Uuid): Promise<boolean> {
    const view = this.#directory.group(groupId);
    if (view !== undefined) return isLarge(view.userIds.length);
    const readAt = this.#clock.monotonicMs();
    const known = this.#entries.get(groupId);
    if (known !== undefined && readAt - known.readAt <= ageMsMax) return known.large;
    const entry = { large: this.#read(groupId), readAt };
    entry.large.catch(() => {
      if (this.#entries.get(groupId) === entry) this.forget(groupId);
    });
    this.#entries.delete(groupId);
    this.#entries.set(groupId, entry);
    if (this.#entries.size > entriesMax) this.#entries.delete(this.#entries.keys().next().value as Uuid);
    return entry.large;
  }

  forget(groupId: Uuid): void {
    this.#entries.delete(groupId);
  }

  async #read(groupId: Uuid): Promise<boolean> {
    return isLarge((await this.#groups.load(groupId))?.members.length ?? 0);
  }
}
