import { assert } from "../../base/assert.ts";
import type { MediaRow, MediaRows, MediaState } from "../../core/ports/media.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Postgres } from "./postgres.ts";
import { statement } from "./statement.ts";

const columns = "media_id, owner_id, state, object_name, size_bytes, sha256, upload_id, created_at, attached_at";

const insertMedia = statement(
  "insert_media",
  `INSERT INTO media (media_id, owner_id, state, object_name, size_bytes, sha256, upload_id, created_at)
   VALUES ($1, $2, 'uploading', $3, $4, $5, $6, $7)`,
);

const mediaById = statement("media_by_id", `SELECT ${columns} FROM media WHERE media_id = $1`);

const makeReady = statement(
  "make_media_ready",
  `UPDATE media SET state = 'ready' WHERE media_id = $1 AND state <> 'doomed' RETURNING ${columns}`,
);

const rejectMedia = statement(
  "reject_media",
  `UPDATE media SET state = 'doomed' WHERE media_id = $1 AND state <> 'ready'`,
);

/** Which waits for a collection of the row that is under way, and looks at the row again then. */
const attachMedia = statement(
  "attach_media",
  `UPDATE media SET attached_at = CASE attached_at WHEN 0 THEN $2 ELSE attached_at END
   WHERE media_id = $1 AND state = 'ready'`,
);

/** Passes over rows that are just being attached: the next collection will see what became of them. */
const doomOrphans = statement(
  "doom_orphans",
  `WITH orphans AS (
     SELECT media_id FROM media
     WHERE attached_at = 0 AND state <> 'doomed' AND created_at < $1
     ORDER BY created_at
     LIMIT $2
     FOR UPDATE SKIP LOCKED
   ), doomed AS (
     UPDATE media SET state = 'doomed'
     WHERE media_id IN (SELECT media_id FROM orphans)
     RETURNING ${columns}
   )
   SELECT ${columns} FROM doomed
   UNION ALL
   (SELECT ${columns} FROM media WHERE state = 'doomed' ORDER BY created_at LIMIT $2)`,
);

const removeMedia = statement("remove_media", `DELETE FROM media WHERE media_id = $1 AND state = 'doomed'`);

interface Row {
  readonly media_id: Uuid;
  readonly owner_id: Uuid;
  readonly state: MediaState;
  readonly object_name: string;
  readonly size_bytes: number;
  readonly sha256: Uint8Array;
  readonly upload_id: string | null;
  readonly created_at: number;
  readonly attached_at: number;
}

/**
 * What is known of media, in PostgreSQL. Each operation is one statement on one row (`doom`: on several), so of two at
 * once the second sees what the first made of the row. A `doom` answers at most `rowsMax` rows that were doomed earlier,
 * the oldest ones.
 */
export function createPostgresMediaRows(postgres: Postgres): MediaRows {
  return {
    async create({ mediaId, ownerId, objectName, sizeBytes, sha256, uploadId, createdAt }) {
      await postgres.query(insertMedia, [mediaId, ownerId, objectName, sizeBytes, sha256, uploadId, createdAt]);
    },

    async byId(mediaId) {
      const { rows } = await postgres.query<Row>(mediaById, [mediaId]);
      return rows[0] && toMediaRow(rows[0]);
    },

    async ready(mediaId) {
      const { rows } = await postgres.query<Row>(makeReady, [mediaId]);
      return rows[0] && toMediaRow(rows[0]);
    },

    async reject(mediaId) {
      return (await postgres.query(rejectMedia, [mediaId])).count === 1;
    },

    async attach(mediaId, at) {
      assert(at > 0, "attached at a time");
      return (await postgres.query(attachMedia, [mediaId, at])).count === 1;
    },

    async doom(before, rowsMax) {
      const { rows } = await postgres.query<Row>(doomOrphans, [before, rowsMax]);
      return rows.map(toMediaRow);
    },

    async remove(mediaId) {
      await postgres.query(removeMedia, [mediaId]);
    },
  };
}

function toMediaRow(row: Row): MediaRow {
  return {
    mediaId: row.media_id,
    ownerId: row.owner_id,
    state: row.state,
    objectName: row.object_name,
    sizeBytes: row.size_bytes,
    sha256: row.sha256,
    ...(row.upload_id === null ? {} : { uploadId: row.upload_id }),
    createdAt: row.created_at,
    attachedAt: row.attached_at,
  };
}
