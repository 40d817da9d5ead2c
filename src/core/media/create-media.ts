import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { MediaObjects, MediaRow, MediaRows } from "../ports/media.ts";
import { commitUpload, type CommitOutcome } from "./commit-upload.ts";
import { CommitTurns } from "./commit-turns.ts";
import type { MediaApi, MediaDownload, MediaDraft, MediaFacts, MediaUpload } from "./media-api.ts";

export interface MediaDeps {
  readonly rows: MediaRows;
  readonly objects: MediaObjects;
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Random;
  /** How long signed addresses hold. */
  readonly urlTtlMs: number;
  /** Objects hashed at once; absent = limits.mediaCommitsAtOnceMax. */
  readonly commitsAtOnceMax?: number;
  /** For metrics. */
  onUpload(): void;
  onCommit(outcome: CommitOutcome): void;
  /** So many bytes of an object were read and are done with: what held them may be freed. */
  onPassed(bytes: number): void;
}

const nameBytes = 16;

/**
 * Uploads and downloads of media. The bytes go between client and object store; this decides, and looks at them once: a
 * commit reads the whole object before it says that messages may refer to it.
 */
export function createMedia(deps: MediaDeps): MediaApi {
  const { rows, objects, clock, urlTtlMs } = deps;
  const turns = new CommitTurns(deps.commitsAtOnceMax ?? limits.mediaCommitsAtOnceMax, limits.mediaCommitsWaitingMax);
  /** A client that gave up waiting asks again while its first commit still reads: both get one answer. */
  const running = new Map<Uuid, Promise<MediaRow>>();
  return {
    begin: (caller, draft) => beginUpload(deps, caller.userId, draft),

    async commit(caller, mediaId, parts) {
      const row = await rows.byId(mediaId);
      if (row === undefined || row.state === "doomed") throw new WireError("no_such_media");
      if (row.ownerId !== caller.userId)
        throw new WireError("forbidden", { detail: "somebody else uploads this media" });
      if (row.state === "ready") return factsOf(row);
      let commit = running.get(mediaId);
      if (commit === undefined) {
        commit = turns.run(() => commitUpload(deps, row, parts)).finally(() => running.delete(mediaId));
        running.set(mediaId, commit);
      }
      return factsOf(await commit);
    },

    async locate(mediaId): Promise<MediaDownload> {
      const row = await rows.byId(mediaId);
      if (row?.state !== "ready") throw new WireError("no_such_media");
      const expiresAt = clock.nowMs() + urlTtlMs;
      return { ...factsOf(row), expiresAt, url: await objects.signRead(row.objectName, expiresAt) };
    },
  };
}

/**
 * The addresses are made before the row and handed out after it: whoever is killed in between leaves nothing but, perhaps,
 * a multipart upload without a part.
 */
async function beginUpload(deps: MediaDeps, ownerId: Uuid, draft: MediaDraft): Promise<MediaUpload> {
  const { rows, objects, clock, random, urlTtlMs } = deps;
  const { sizeBytes, sha256 } = draft;
  if (sizeBytes > limits.mediaBytesMax) {
    throw new WireError("too_large", { detail: `media has at most ${limits.mediaBytesMax} bytes` });
  }
  const createdAt = clock.nowMs();
  const mediaId = createUuidV7(createdAt, random);
  const objectName = Buffer.from(random.fill(new Uint8Array(nameBytes))).toString("hex");
  const expiresAt = createdAt + urlTtlMs;
  const { uploadId, parts } = await objects.plan({ name: objectName, sizeBytes }, expiresAt);
  const row = { mediaId, ownerId, objectName, sizeBytes, sha256, createdAt };
  await rows.create(uploadId === undefined ? row : { ...row, uploadId });
  deps.onUpload();
  return { mediaId, expiresAt, parts };
}

function factsOf({ mediaId, sizeBytes, sha256 }: MediaRow): MediaFacts {
  return { mediaId, sizeBytes, sha256 };
}
