import type { Clock } from "../../base/clock.ts";
import { isCountable } from "../../protocol/kinds.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { GroupView } from "../directory-cache.ts";
import { isLarge } from "../fan-out/chunks.ts";
import type { LogRow, Visibility } from "../model.ts";
import type { ReadMove, ViewedRows } from "./append-writes.ts";
import type { Lane } from "./lane.ts";
import type { PendingSend } from "./pending-send.ts";

/**
 * One attempt at an append: what was judged so far. Rows and owners run in parallel; repeats wait for their list rows;
 * doubles are sends whose id stands in this very append.
 */
export class Round {
  readonly rows: LogRow[] = [];
  readonly owners: PendingSend[] = [];
  readonly repeats: { readonly send: PendingSend; readonly row: LogRow }[] = [];
  readonly doubles: { readonly send: PendingSend; readonly row: LogRow }[] = [];
  reads: Map<Uuid, ReadMove> | undefined;
  /** Senders whose read_seq moves over rows of others: everyone has to know. */
  views: Map<Uuid, ViewedRows> | undefined;
  /** Monotonic ms when the first row was judged: what was decided about blocks is as old as this. */
  readonly judgedAt: number;
  readonly standingsEpoch: number;
  /** Groups only. */
  readonly view: GroupView | undefined;
  readonly nowMs: number;
  #head: number;
  #ucount: number;
  #sentAt: number;

  constructor(lane: Pick<Lane, "end" | "standingsEpoch">, view: GroupView | undefined, clock: Clock) {
    this.view = view;
    this.judgedAt = clock.monotonicMs();
    this.standingsEpoch = lane.standingsEpoch;
    this.nowMs = clock.nowMs();
    this.#head = lane.end.head;
    this.#ucount = lane.end.headUcount;
    this.#sentAt = lane.end.headAt;
  }

  /** Seq of the next row. */
  get nextSeq(): number {
    return this.#head + 1;
  }

  /** Its rows are listed and pushed by the fan-out workers. Follows from the membership that the append is conditioned on. */
  get isLarge(): boolean {
    return this.view !== undefined && isLarge(this.view.userIds.length);
  }

  find(messageId: Uuid): LogRow | undefined {
    for (const row of this.rows) if (row.messageId === messageId) return row;
    return undefined;
  }

  add(send: PendingSend, visibility: Visibility): LogRow {
    const { draft, caller } = send;
    this.#head++;
    // A row that nobody counts must not move the counter either, or its readers' unread would be wrong for ever.
    if (visibility === 0 && isCountable(draft.kind)) this.#ucount++;
    this.#sentAt = Math.max(this.nowMs, this.#sentAt);
    const row = {
      seq: this.#head,
      messageId: draft.messageId,
      senderId: caller.userId,
      senderDevice: caller.device,
      sentAt: this.#sentAt,
      kind: draft.kind,
      visibility,
      ucount: this.#ucount,
      envelope: draft.envelope,
    };
    const made: LogRow = draft.mediaId === undefined ? row : { ...row, mediaId: draft.mediaId };
    this.rows.push(made);
    this.owners.push(send);
    return made;
  }
}
