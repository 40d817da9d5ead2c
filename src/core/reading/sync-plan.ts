import type { SeqRun } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import { intersectRuns, runsLength, subtractRuns } from "./seq-runs.ts";
import type { View } from "./read-page.ts";

/** What a device holds of a conversation, and what there is. */
export interface SyncPosition {
  /** Last row that the reader may see. */
  readonly last: number;
  /** Everything up to here is filled on the device. */
  readonly held: number;
  /** A newer run that it also holds. */
  readonly tail: SeqRun | undefined;
  /** min(recv_seq, read_seq): receipts of this device have to start right above it. */
  readonly floor: number;
}

/** One run to send, in pages of `rowsMax`, from `from` up or from `to` down. */
export interface Fill {
  readonly from: number;
  readonly to: number;
  readonly direction: "up" | "down";
  readonly rowsMax: number;
}

export interface SyncPlan {
  /** Sent when the conversation has its turn: whole, or (`firstPageOnly`) its first page, whose remainder joins `rest`. */
  readonly first: readonly Fill[];
  readonly firstPageOnly: boolean;
  /** Sent when every conversation had its turn; newest first. */
  readonly rest: readonly Fill[];
}

const nothing: SyncPlan = { first: [], firstPageOnly: false, rest: [] };

/**
 * A device that is not far behind gets all it lacks at once. One that is gets the newest rows, then, in the background
 * and downwards, what its receipts have to pass; anything older only when somebody looks. What it holds already (the
 * tail that an earlier connection left) is not sent again.
 */
export function planSync(position: SyncPosition, view: Pick<View, "readable" | "clearedSeq">): SyncPlan {
  const { last, held, tail } = position;
  const holes: readonly SeqRun[] = tail === undefined ? [] : [tail];
  const missing = subtractRuns([held + 1, last], holes);
  if (missing.length === 0) return nothing;
  const rowsIn = (run: SeqRun): number =>
    runsLength(intersectRuns([Math.max(run[0], view.clearedSeq + 1), run[1]], view.readable));

  const behind = missing.reduce((total, run) => total + rowsIn(run), 0);
  if (behind <= limits.syncBehindRowsMax) {
    const first = missing
      .toReversed()
      .map(([from, to]): Fill => ({ from, to, direction: "up", rowsMax: limits.syncBatchRowsMax }));
    return { first, firstPageOnly: false, rest: [] };
  }

  const wantedFrom = Math.max(held, Math.min(position.floor, last - limits.syncInitialRows)) + 1;
  // When nothing below can be read the page says so for free, and the device knows that it is complete.
  const from = rowsIn([held + 1, wantedFrom - 1]) === 0 ? held + 1 : wantedFrom;
  const wanted = subtractRuns([from, last], holes).toReversed();
  const [newest] = wanted;
  if (newest === undefined) return nothing;
  const down = (run: SeqRun, rowsMax: number): Fill => ({ from: run[0], to: run[1], direction: "down", rowsMax });
  const rest = wanted.map((run) => down(run, limits.syncBatchRowsMax));
  if (newest[1] !== last) return { first: [], firstPageOnly: false, rest };
  return { first: [down(newest, limits.syncInitialRows)], firstPageOnly: true, rest: rest.slice(1) };
}
