import { WireError } from "../../protocol/wire-errors.ts";
import type { MediaObjects, MediaRow, MediaRows } from "../ports/media.ts";
import { hashObject } from "./hash-object.ts";
import type { UploadedPart } from "./media-api.ts";
import { planParts } from "./part-plan.ts";

export type CommitOutcome = "committed" | "incomplete" | "mismatch";

export interface CommitDeps {
  readonly rows: Pick<MediaRows, "byId" | "ready" | "reject">;
  readonly objects: Pick<MediaObjects, "finish" | "sizeBytes" | "read" | "remove">;
  onCommit(outcome: CommitOutcome): void;
  /** So many bytes of an object were read and are done with: what held them may be freed. */
  onPassed(bytes: number): void;
}

/**
 * Puts the parts of an upload together, reads the object once and marks the row ready if it is what was announced. May run
 * for one row in several processes at the same time: the row decides, and an object is never deleted after it is ready.
 * Rejects with `media_incomplete`, `media_mismatch`, `no_such_media`, or what a store said.
 */
export async function commitUpload(deps: CommitDeps, row: MediaRow, parts: readonly UploadedPart[]): Promise<MediaRow> {
  const { rows, objects } = deps;
  const sizeBytes = await assemble(objects, row, parts);
  if (sizeBytes === undefined) {
    deps.onCommit("incomplete");
    throw new WireError("media_incomplete");
  }
  if (sizeBytes !== row.sizeBytes || !(await hasDigest(deps, row))) return refuse(deps, row);
  const ready = await rows.ready(row.mediaId);
  // Collected while it was read.
  if (ready === undefined) throw new WireError("no_such_media");
  deps.onCommit("committed");
  return ready;
}

/** The size of the whole object; undefined while something of it is missing. */
async function assemble(
  objects: CommitDeps["objects"],
  { objectName, sizeBytes, uploadId }: MediaRow,
  parts: readonly UploadedPart[],
): Promise<number | undefined> {
  if (uploadId !== undefined) {
    const given = parts.toSorted((one, other) => one.number - other.number);
    const planned = planParts(sizeBytes);
    const isAll = given.length === planned.length && planned.every(({ number }, at) => given[at]?.number === number);
    if (!isAll || !(await objects.finish(objectName, uploadId, given))) return undefined;
  }
  return objects.sizeBytes(objectName);
}

async function hasDigest(deps: CommitDeps, { objectName, sizeBytes, sha256 }: MediaRow): Promise<boolean> {
  const bytes = await deps.objects.read(objectName);
  try {
    const digest = await hashObject(bytes, sizeBytes, (count) => deps.onPassed(count));
    return digest !== undefined && Buffer.compare(digest, sha256) === 0;
  } catch (cause) {
    // Somewhere in the middle: a stream knows nothing of wire errors.
    throw new WireError("store_unavailable", { cause });
  }
}

/** The row is doomed before its object goes, so that nobody can make it ready in between. */
async function refuse(deps: CommitDeps, row: MediaRow): Promise<MediaRow> {
  const { rows, objects } = deps;
  if (!(await rows.reject(row.mediaId))) {
    const current = await rows.byId(row.mediaId);
    if (current?.state === "ready") return current;
    throw new WireError("no_such_media");
  }
  deps.onCommit("mismatch");
  // If this fails, the collection of orphans does it: the row stays doomed until then.
  const cause = await objects.remove(row.objectName, row.uploadId).catch((error: unknown) => error);
  throw new WireError("media_mismatch", { cause });
}
