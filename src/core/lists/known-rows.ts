import type { Uuid } from "../../protocol/ids.ts";
import type { ListRow, ListWrite } from "../model.ts";
import { mergeListRow } from "./merge-list-row.ts";

/**
 * What this process has seen of the list rows of those who send receipts, and of the ends of their logs. Everything in a
 * list row only rises, so a row that is remembered is a lower bound of the one in the store: what it allows, the store's
 * allows too. What it does not allow has to be looked up. A row in here was read, or written by a call that resolved: so its
 * own watermarks imply the rows of others, as those of the store do.
 *
 * Bounded: rowsMax rows and as many ends; the one that came first goes first.
 */
export class KnownRows {
  readonly #rows = new Map<string, ListRow>();
  readonly #heads = new Map<Uuid, number>();
  readonly #rowsMax: number;

  static readonly rowsMax = 32_768;

  constructor(rowsMax = KnownRows.rowsMax) {
    this.#rowsMax = rowsMax;
  }

  /** Resident rows. */
  get size(): number {
    return this.#rows.size;
  }

  row(userId: Uuid, conversationId: Uuid): ListRow | undefined {
    return this.#rows.get(keyOf(userId, conversationId));
  }

  /** A seq that is in the log; 0 = nothing was heard of it. */
  head(conversationId: Uuid): number {
    return this.#heads.get(conversationId) ?? 0;
  }

  /** As the store answered, or as a write that resolved has left it. */
  learn(userId: Uuid, row: ListRow): void {
    put(this.#rows, keyOf(userId, row.conversationId), row, this.#rowsMax);
  }

  /** Writes that are durable. Rows of those who sent no receipt yet stay unknown: most of them may never send one. */
  raise(writes: readonly ListWrite[]): void {
    for (const write of writes) {
      const key = keyOf(write.userId, write.conversationId);
      const row = this.#rows.get(key);
      const raised = row && mergeListRow(row, write);
      if (raised !== undefined && raised !== row) this.#rows.set(key, raised);
    }
  }

  /** A message with this seq was pushed through this process, so it is in the log. */
  heard(conversationId: Uuid, seq: number): void {
    if (seq > this.head(conversationId)) put(this.#heads, conversationId, seq, this.#rowsMax);
  }
}

/** As the newest entry. */
function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, entriesMax: number): void {
  map.delete(key);
  if (map.size >= entriesMax) {
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  }
  map.set(key, value);
}

function keyOf(userId: Uuid, conversationId: Uuid): string {
  return userId + conversationId;
}
