import { assert } from "../../base/assert.ts";
import type { MediaRow } from "../../core/ports/media.ts";
import { parseUuid, type Uuid } from "../../protocol/ids.ts";
import { flagTable } from "./directory-tables.ts";
import type { Key } from "./keys.ts";
import { packedTable } from "./packed-table.ts";
import type { KeyRange } from "./snapshot.ts";

export type StoredMedia = Omit<MediaRow, "mediaId">;

/** media → row */
export const media = packedTable<StoredMedia>("media");

/** when it was made, media: those that no message refers to and that are not doomed, oldest first. */
export const looseMedia = flagTable("media_loose");

/** media: doomed and not yet removed. */
export const doomedMedia = flagTable("media_doomed");

const timeBytes = 6;

/** `createdAt` in [0, 2⁴⁸). */
export function looseKey(createdAt: number, mediaId: Uuid): Key {
  const key = Buffer.allocUnsafe(timeBytes + 16);
  key.writeUIntBE(createdAt, 0, timeBytes);
  parseUuid(mediaId, key, timeBytes);
  return key;
}

/** Where the id stands in a key of `looseMedia`. */
export const looseIdOffset = timeBytes;

/** Loose media made before `before`, the oldest first. */
export function looseBefore(before: number, entriesMax: number): KeyRange {
  assert(entriesMax >= 1, `${entriesMax} rows of loose media`);
  const end = Buffer.alloc(timeBytes);
  end.writeUIntBE(before, 0, timeBytes);
  return { start: Buffer.alloc(timeBytes), end, entriesMax };
}
