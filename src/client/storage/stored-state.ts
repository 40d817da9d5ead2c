import type { PageRow } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { Change, ConversationRecord, OutboxEntry, StoredDevice } from "../machine/types.ts";

/** A Change of the machine, or a draft of its user. */
export interface StoredChange extends Change {
  readonly draft?: { readonly conversationId: Uuid; readonly text: string };
}

/** The state that a sequence of changes leads to. Applying is idempotent per change, so a replay may overlap. */
export class StoredState {
  readonly #conversations = new Map<Uuid, ConversationRecord>();
  readonly #rows = new Map<Uuid, PageRow[]>();
  readonly #outbox = new Map<Uuid, OutboxEntry>();
  readonly #drafts = new Map<Uuid, string>();

  apply(change: StoredChange): void {
    const { conversation, rows, rowsCleared, outboxPut, outboxRemove, draft } = change;
    if (conversation !== undefined) {
      this.#conversations.set(conversation.conversationId, conversation);
      if (rowsCleared === true) this.#rows.delete(conversation.conversationId);
      if (rows !== undefined) this.#addRows(conversation.conversationId, rows);
    }
    if (outboxPut !== undefined) this.#outbox.set(outboxPut.messageId, outboxPut);
    if (outboxRemove !== undefined) this.#outbox.delete(outboxRemove);
    if (draft !== undefined) {
      if (draft.text === "") this.#drafts.delete(draft.conversationId);
      else this.#drafts.set(draft.conversationId, draft.text);
    }
  }

  device(): StoredDevice {
    return { conversations: [...this.#conversations.values()], outbox: [...this.#outbox.values()] };
  }

  rows(conversationId: Uuid, limit: number, before = Infinity): readonly PageRow[] {
    const rows = this.#rows.get(conversationId);
    if (rows === undefined) return [];
    const end = before === Infinity ? rows.length : indexOfSeq(rows, before);
    return rows.slice(Math.max(0, end - limit), end);
  }

  draft(conversationId: Uuid): string {
    return this.#drafts.get(conversationId) ?? "";
  }

  /** Changes that lead from nothing to this state: what compaction writes. Rows in chunks of at most `rowsMax`. */
  *snapshot(rowsMax: number): Generator<StoredChange> {
    for (const conversation of this.#conversations.values()) {
      const rows = this.#rows.get(conversation.conversationId) ?? [];
      for (let at = 0; at < rows.length; at += rowsMax) yield { conversation, rows: rows.slice(at, at + rowsMax) };
      if (rows.length === 0) yield { conversation };
    }
    for (const outboxPut of this.#outbox.values()) yield { outboxPut };
    for (const [conversationId, text] of this.#drafts) yield { draft: { conversationId, text } };
  }

  #addRows(conversationId: Uuid, added: readonly PageRow[]): void {
    let rows = this.#rows.get(conversationId);
    if (rows === undefined) this.#rows.set(conversationId, (rows = []));
    for (const row of added) {
      const newest = rows.at(-1);
      if (newest === undefined || row.seq > newest.seq) rows.push(row);
      else {
        const index = indexOfSeq(rows, row.seq);
        if (rows[index]?.seq !== row.seq) rows.splice(index, 0, row);
      }
    }
  }
}

/** Index of the first row with a seq of at least `seq`. */
function indexOfSeq(rows: readonly PageRow[], seq: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle] as PageRow).seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
