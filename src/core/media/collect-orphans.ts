import { limits } from "../../protocol/limits.ts";
import type { MediaObjects, MediaRow, MediaRows } from "../ports/media.ts";

export interface CollectDeps {
  readonly rows: Pick<MediaRows, "doom" | "remove">;
  readonly objects: Pick<MediaObjects, "remove">;
  /** Age from which on media that no message refers to is collected. */
  readonly orphanMs: number;
  /** How long addresses for uploads hold. */
  readonly urlTtlMs: number;
}

export interface Collection {
  /** Rows that are gone with their objects. */
  readonly removed: number;
  /** What the stores answered to those that could not be removed; they are met again. At most failuresMax. */
  readonly failures: readonly unknown[];
  /** There may be more to collect. */
  readonly more: boolean;
}

const failuresMax = 3;

/**
 * One pass: dooms a bounded number of rows, deletes what they name, forgets them. Any number of processes may do it at
 * once and each may be killed at any point: a doomed row is answered to every pass until its object is known to be gone.
 *
 * An address for uploading can outlive its row's doom, and what is put there then would belong to no row. So a row is
 * forgotten only when its addresses have expired for as long as they held (which is time for a slow upload to end), and
 * its object is deleted in every pass until then.
 */
export async function collectOrphans(deps: CollectDeps, now: number): Promise<Collection> {
  const { rows, objects, orphanMs, urlTtlMs } = deps;
  const rowsMax = limits.mediaOrphansPerPassMax;
  const doomed = await rows.doom(now - orphanMs, rowsMax);
  const failures: unknown[] = [];
  let removed = 0;
  for (const row of doomed) {
    try {
      await objects.remove(row.objectName, row.uploadId);
      if (now < forgetAt(row, urlTtlMs)) continue;
      await rows.remove(row.mediaId);
      removed++;
    } catch (error) {
      failures.push(error);
      // A store that is away fails each of them, after its time-out.
      if (failures.length === failuresMax) break;
    }
  }
  return { removed, failures, more: failures.length === 0 && removed > 0 && doomed.length >= rowsMax };
}

function forgetAt({ createdAt }: MediaRow, urlTtlMs: number): number {
  return createdAt + 2 * urlTtlMs;
}
