import { present } from "../../base/assert.ts";
import type { MediaRow, MediaRows, MediaState } from "../../core/ports/media.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Transaction } from "./batch.ts";
import type { Environment } from "./environment.ts";
import { uuidKey, uuidOfKey } from "./keys.ts";
import {
  doomedMedia,
  looseBefore,
  looseIdOffset,
  looseKey,
  looseMedia,
  media,
  type StoredMedia,
} from "./media-tables.ts";

/**
 * Rows of media in LMDB. Operations run alone, so of an attach, a ready, a reject and a doom at the same time each sees
 * what the one before it left.
 */
export function createLmdbMediaRows(environment: Environment): MediaRows {
  return {
    create: ({ mediaId, ...row }) =>
      environment.write((transaction) => {
        transaction.put(media, uuidKey(mediaId), { ...row, state: "uploading", attachedAt: 0 });
        transaction.put(looseMedia, looseKey(row.createdAt, mediaId), true);
      }),

    async byId(mediaId) {
      const stored = environment.get(media, uuidKey(mediaId));
      return stored && { mediaId, ...stored };
    },

    ready: (mediaId) =>
      environment.write((transaction) => {
        const stored = transaction.get(media, uuidKey(mediaId));
        if (stored === undefined || stored.state === "doomed") return undefined;
        return { mediaId, ...(stored.state === "ready" ? stored : put(transaction, mediaId, stored, "ready")) };
      }),

    reject: (mediaId) =>
      environment.write((transaction) => {
        const stored = transaction.get(media, uuidKey(mediaId));
        if (stored?.state === "uploading") doom(transaction, mediaId, stored);
        return stored !== undefined && stored.state !== "ready";
      }),

    async attach(mediaId, at) {
      // Looked up before it costs a turn of the writer: most media is attached by each of the messages that forward it.
      const known = environment.get(media, uuidKey(mediaId));
      if (known?.state !== "ready") return false;
      if (known.attachedAt !== 0) return true;
      return environment.write((transaction) => attach(transaction, mediaId, at));
    },

    doom: (before, rowsMax) => environment.write((transaction) => doomLoose(transaction, before, rowsMax)),

    remove: (mediaId) =>
      environment.write((transaction) => {
        if (transaction.get(media, uuidKey(mediaId))?.state !== "doomed") return;
        transaction.remove(media, uuidKey(mediaId));
        transaction.remove(doomedMedia, uuidKey(mediaId));
      }),
  };
}

function attach(transaction: Transaction, mediaId: Uuid, at: number): boolean {
  const stored = transaction.get(media, uuidKey(mediaId));
  if (stored?.state !== "ready") return false;
  if (stored.attachedAt !== 0) return true;
  transaction.put(media, uuidKey(mediaId), { ...stored, attachedAt: at });
  transaction.remove(looseMedia, looseKey(stored.createdAt, mediaId));
  return true;
}

/** Those doomed earlier come first; one pass of the collector is a bounded number of those at most (doomedRowsMax). */
function doomLoose(transaction: Transaction, before: number, rowsMax: number): readonly MediaRow[] {
  const earlier = transaction
    .range(doomedMedia, { start: uuidKey(lowestId), end: aboveIds, entriesMax: doomedRowsMax })
    .map(({ key }) => uuidOfKey(key));
  const loose = transaction
    .range(looseMedia, looseBefore(before, rowsMax))
    .map(({ key }) => uuidOfKey(key, looseIdOffset));
  for (const mediaId of loose) doom(transaction, mediaId, storedOf(transaction, mediaId));
  return [...earlier, ...loose].map((mediaId) => ({ mediaId, ...storedOf(transaction, mediaId) }));
}

function doom(transaction: Transaction, mediaId: Uuid, stored: StoredMedia): void {
  put(transaction, mediaId, stored, "doomed");
  transaction.remove(looseMedia, looseKey(stored.createdAt, mediaId));
  transaction.put(doomedMedia, uuidKey(mediaId), true);
}

function put(transaction: Transaction, mediaId: Uuid, stored: StoredMedia, state: MediaState): StoredMedia {
  const changed = { ...stored, state };
  transaction.put(media, uuidKey(mediaId), changed);
  return changed;
}

function storedOf(transaction: Transaction, mediaId: Uuid): StoredMedia {
  return present(transaction.get(media, uuidKey(mediaId)), "the row of media that an index names");
}

const lowestId = "00000000-0000-0000-0000-000000000000";
/** One byte longer than any id of all ones. */
const aboveIds = Buffer.alloc(17, 0xff);
/** More than a pass leaves behind, however many uploads were rejected meanwhile: the rest comes with the next pass. */
const doomedRowsMax = 4_096;
