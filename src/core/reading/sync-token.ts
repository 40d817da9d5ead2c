import { isUuid, type Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { ListRow } from "../model.ts";

/**
 * Where a sync stopped at its bound. It names a place in the caller's own list, which the caller may see anyway, so it is
 * neither signed nor stored.
 */
export interface SyncToken {
  /** 1: every conversation gets its turn; 2: the background fill. */
  readonly pass: 1 | 2;
  /** Time of the newest row when the place was taken: a conversation that is newer now may have moved past it. */
  readonly asOf: number;
  readonly lastAt: number;
  readonly conversationId: Uuid;
  /** Pass 2: the fill of this conversation goes on at or below this seq. */
  readonly seq: number;
}

export function encodeSyncToken(token: SyncToken): string {
  return [token.pass, token.asOf, token.lastAt, token.conversationId, token.seq].join(".");
}

export function decodeSyncToken(text: string): SyncToken {
  const [pass, asOf, lastAt, conversationId, seq, ...more] = text.split(".");
  const token = { asOf: Number(asOf), lastAt: Number(lastAt), seq: Number(seq) };
  const numbers = [token.asOf, token.lastAt, token.seq].every((value) => Number.isSafeInteger(value) && value >= 0);
  if ((pass !== "1" && pass !== "2") || !isUuid(conversationId ?? "") || !numbers || more.length > 0) {
    throw new WireError("bad_request", { detail: "page: not a token of an earlier SYNC_DONE" });
  }
  return { ...token, pass: pass === "1" ? 1 : 2, conversationId: conversationId as Uuid };
}

/** Most recent first; the id only makes the order total. */
export function byRecency(one: Place, other: Place): number {
  if (one.lastAt !== other.lastAt) return other.lastAt - one.lastAt;
  if (one.conversationId === other.conversationId) return 0;
  return one.conversationId < other.conversationId ? -1 : 1;
}

type Place = Pick<ListRow, "lastAt" | "conversationId">;
