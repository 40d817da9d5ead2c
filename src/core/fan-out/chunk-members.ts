import { intervalsAt } from "../groups/change-writes.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { MemberInterval } from "../model.ts";
import type { FanOutJob } from "../ports/fan-out-queue.ts";
import type { Groups } from "../ports/groups.ts";
import { chunkOf } from "./chunks.ts";

interface Known {
  readonly membership: number;
  readonly chunks: readonly (readonly MemberInterval[])[];
}

export interface ChunkOfMembers {
  /** Of everyone in the chunk who is or was a member. */
  readonly intervals: readonly MemberInterval[];
  /** They hold for rows of versions up to this one. */
  readonly membership: number;
}

/** Large groups whose intervals are kept; eight chunks of one message come one after the other. */
const groupsMax = 64;
const changesPerRead = 64;

/**
 * The reading intervals of a group, by chunk. What was read while no change was open holds for every row up to its
 * version; a job of a later version reads anew. While a change is open nothing is kept: those it removes still have an
 * interval without an end, and those who join by it have one that reads nothing, so that it is worked out here.
 */
export class ChunkMembers {
  readonly #groups: Groups;
  readonly #known = new Map<Uuid, Known>();

  constructor(groups: Groups) {
    this.#groups = groups;
  }

  /** For rows up to `toSeq`, the last of which made `membership` or found it so. */
  async of({ conversationId, chunk, membership, toSeq }: FanOutJob): Promise<ChunkOfMembers> {
    const known = this.#known.get(conversationId);
    if (known !== undefined && known.membership >= membership) return chunkIn(known, chunk);
    // Before the intervals: a change that is settled in between is in them, one that is not keeps them from being kept.
    const open = await this.#groups.pending(conversationId, changesPerRead);
    const chunks: MemberInterval[][] = Array.from({ length: limits.fanOutChunks }, () => []);
    // Nothing is appended on top of an open change: so its row is the last one that is asked about.
    const change = open.find(({ version }) => version === membership);
    const settled = await this.#groups.intervals(conversationId, undefined);
    const intervals = change === undefined ? settled : intervalsAt(change, toSeq, settled);
    for (const interval of intervals) {
      chunks[chunkOf(interval.userId)]?.push(interval);
    }
    const read = { membership, chunks };
    if (open.length === 0) this.#keep(conversationId, read);
    // Of the version that is being settled only the row of the change itself may be told.
    return chunkIn(open.length === 0 ? read : { ...read, membership: membership - 1 }, chunk);
  }

  #keep(conversationId: Uuid, known: Known): void {
    this.#known.delete(conversationId);
    this.#known.set(conversationId, known);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= groupsMax) return;
      this.#known.delete(oldest);
    }
  }
}

function chunkIn({ membership, chunks }: Known, chunk: number): ChunkOfMembers {
  return { membership, intervals: chunks[chunk] ?? [] };
}
