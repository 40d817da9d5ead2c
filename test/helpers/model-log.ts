import type { MessageRow, PageRow, Registers } from "../../src/protocol/fields.ts";
import { isCountable } from "../../src/protocol/kinds.ts";
import type { Uuid } from "../../src/protocol/ids.ts";

/** A conversation as the simplest possible server keeps it: everything in arrays, judged by the rules, no shortcuts. */
export interface ModelInterval {
  readonly joined: number;
  left: number;
}

interface ModelMember {
  intervals: ModelInterval[];
  recv: number;
  read: number;
}

export interface ModelRow extends MessageRow {
  /** Only the sender's devices see it. */
  readonly hidden: boolean;
}

export interface ModelPage {
  readonly from: number;
  readonly to: number;
  readonly messages: PageRow[];
  readonly unreadable: [number, number][];
  readonly gone: [number, number][];
}

export class ModelLog {
  readonly rows: ModelRow[] = [];
  readonly members = new Map<Uuid, ModelMember>();
  readonly conversationId: Uuid;
  readonly kind: "direct" | "group";
  /** Rows up to here have expired. */
  goneTo = 0;

  constructor(conversationId: Uuid, kind: "direct" | "group") {
    this.conversationId = conversationId;
    this.kind = kind;
  }

  get head(): number {
    return this.rows.length;
  }

  join(user: Uuid): void {
    const joined = this.kind === "direct" ? 1 : this.head + 1;
    const member = this.members.get(user) ?? { intervals: [], recv: 0, read: 0 };
    member.intervals.push({ joined, left: 0 });
    member.recv = Math.max(member.recv, joined - 1);
    member.read = Math.max(member.read, joined - 1);
    this.members.set(user, member);
  }

  leave(user: Uuid): void {
    const interval = this.members.get(user)?.intervals.at(-1);
    if (interval !== undefined) interval.left = this.head + 1;
  }

  isMember(user: Uuid): boolean {
    return this.members.get(user)?.intervals.at(-1)?.left === 0;
  }

  append(row: Omit<ModelRow, "seq" | "ucount">): ModelRow {
    const before = this.rows.at(-1)?.ucount ?? 0;
    const counts = isCountable(row.kind) && !row.hidden;
    const made = { ...row, seq: this.head + 1, ucount: before + (counts ? 1 : 0) };
    this.rows.push(made);
    return made;
  }

  canRead(user: Uuid, seq: number): boolean {
    const intervals = this.members.get(user)?.intervals ?? [];
    return intervals.some(({ joined, left }) => seq >= joined && (left === 0 || seq < left));
  }

  /** The row as `user` sees it. */
  shown(user: Uuid, seq: number): PageRow {
    const { hidden, ...row } = this.rows[seq - 1] as ModelRow;
    if (!hidden) return row;
    return row.sender.user === user ? { ...row, max_status: "sent" } : { seq, kind: 0 };
  }

  page(user: Uuid, from: number, to: number, rowsMax: number): ModelPage & { has_more: boolean } {
    const end = Math.min(to, this.head, from + rowsMax - 1);
    const messages: PageRow[] = [];
    const unreadable: [number, number][] = [];
    const gone: [number, number][] = [];
    for (let seq = from; seq <= end; seq++) {
      if (!this.canRead(user, seq)) unreadable.push([seq, seq]);
      else if (seq <= this.goneTo) gone.push([seq, seq]);
      else messages.push(this.shown(user, seq));
    }
    return { from, to: end, messages, unreadable, gone, has_more: end < Math.min(to, this.head) };
  }

  /** Highest seq that `user` may ever be shown now. */
  endFor(user: Uuid): number {
    const left = this.members.get(user)?.intervals.at(-1)?.left ?? 0;
    return left === 0 ? this.head : left - 1;
  }

  registers(user: Uuid): Registers {
    const member = this.members.get(user) as ModelMember;
    const interval = member.intervals.at(-1) as ModelInterval;
    const end = this.endFor(user);
    let last = end;
    while (last > 0 && (this.rows[last - 1] as ModelRow).hidden && this.rows[last - 1]?.sender.user !== user) last--;
    let own = end;
    while (own > 0 && this.rows[own - 1]?.sender.user !== user) own--;
    const peer = this.kind === "direct" ? this.#peerOf(user) : undefined;
    return {
      last_seq: last,
      last_ucount: this.rows[last - 1]?.ucount ?? 0,
      last_at: this.rows[last - 1]?.sent_at ?? 0,
      own_seq: own,
      recv_seq: member.recv,
      read_seq: member.read,
      read_ucount: this.rows[member.read - 1]?.ucount ?? 0,
      peer_recv_seq: Math.max(peer?.recv ?? 0, peer?.read ?? 0),
      peer_read_seq: peer?.read ?? 0,
      joined_seq: interval.joined,
      left_seq: interval.left,
      cleared_seq: 0,
    };
  }

  /** Applies a receipt by the rule of the protocol; false = refused. */
  receive(user: Uuid, kind: "recv" | "read", from: number, seq: number): boolean {
    const member = this.members.get(user);
    if (member === undefined || from > member[kind] + 1 || seq > this.head || !this.canRead(user, seq)) return false;
    member[kind] = Math.max(member[kind], seq);
    return true;
  }

  #peerOf(user: Uuid): ModelMember | undefined {
    for (const [other, member] of this.members) if (other !== user) return member;
    return undefined;
  }
}
