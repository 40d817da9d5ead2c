import { isUuid, type Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { byRecency } from "../../core/reading/sync-token.ts";
import type { ListRow } from "../../core/model.ts";

/**
 * Where a page of the conversation list ended. It names a place in the caller's own list, so it is neither signed nor
 * stored.
 */
interface ListCursor {
  /** Time of the newest row at that moment: a conversation that is newer now has moved, perhaps from below the place. */
  readonly asOf: number;
  readonly lastAt: number;
  readonly conversationId: Uuid;
}

type Place = Pick<ListRow, "lastAt" | "conversationId">;

/**
 * The next page of `rows` (the whole list, most recent first). Conversations that moved up since the page before come
 * first, so a walk over a list that changes meanwhile may show a row twice but leaves none out. Errors: bad_request.
 */
export function listPage<Row extends Place>(
  rows: readonly Row[],
  cursor: string | undefined,
  rowsMax: number,
): { readonly rows: readonly Row[]; readonly next: string | undefined } {
  const after = cursor === undefined ? undefined : decode(cursor);
  const due = after === undefined ? rows : rows.filter((row) => row.lastAt > after.asOf || byRecency(row, after) > 0);
  const page = due.slice(0, rowsMax);
  const last = page.at(-1);
  if (last === undefined || page.length === due.length) return { rows: page, next: undefined };
  return { rows: page, next: [rows[0]?.lastAt ?? 0, last.lastAt, last.conversationId].join(".") };
}

function decode(text: string): ListCursor {
  const [asOf, lastAt, conversationId = "", ...more] = text.split(".");
  const cursor = { asOf: Number(asOf), lastAt: Number(lastAt), conversationId };
  const times = [cursor.asOf, cursor.lastAt].every((time) => Number.isSafeInteger(time) && time >= 0);
  if (!times || !isUuid(conversationId) || more.length > 0) {
    throw new WireError("bad_request", { detail: "query.cursor: not the `next` of an earlier page" });
  }
  return cursor;
}
