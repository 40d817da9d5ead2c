import { derivedId } from "../data/derived-id.ts";
import { mix32, seedFor } from "../data/mix.ts";
import { kinds } from "../../protocol/kinds.ts";
import { createSizes, type SizeSpec } from "../data/sizes.ts";
import type { Share } from "../executors/executor.ts";
import { partOf } from "../executors/closed.ts";
import type { Uuid } from "../../protocol/ids.ts";
import type { LogHead, LogRow } from "./store-operations.ts";

/**
 * The conversations to which one workload of one worker writes: one for each own user, of which it is the only writer. One
 * append at a time in each, as in a server; who finds a conversation busy takes the next free one.
 *
 *   free ──take──▶ busy ──release──▶ free          head, numbers of attempts and what was acked are kept for each
 */
export interface StoreConversationsOptions {
  readonly seed: number;
  readonly run: number;
  readonly users: number;
  readonly share: Share;
  readonly size: SizeSpec;
  readonly nowMs: () => number;
}

/** How many conversations are looked at for a free one. */
const looksMax = 256;
const envelopeBytesMax = 64 * 1_024;

export class StoreConversations {
  readonly count: number;
  readonly #ids: readonly Uuid[];
  readonly #heads: LogHead[];
  readonly #attempts: Uint32Array;
  readonly #busy: Uint8Array;
  readonly #acked: Map<number, number>[];
  readonly #undecided: Set<number>[];
  readonly #idSeed: number;
  readonly #sizeSeed: number;
  readonly #sizes: (n: number) => number;
  readonly #filler: Buffer;
  readonly #options: StoreConversationsOptions;

  constructor(options: StoreConversationsOptions) {
    const { seed, run, users, share, size } = options;
    this.#options = options;
    this.count = partOf(users, share);
    this.#idSeed = mix32(seed, run, 0);
    const conversationSeed = seedFor(this.#idSeed, "conversations");
    const numbers = Array.from({ length: this.count }, (_, index) => index);
    this.#ids = numbers.map((index) => derivedId(conversationSeed, share.index, index));
    this.#heads = numbers.map(() => ({ head: 0, headUcount: 0, headAt: 0, membership: 0 }));
    this.#attempts = new Uint32Array(this.count);
    this.#busy = new Uint8Array(this.count);
    this.#acked = numbers.map(() => new Map<number, number>());
    this.#undecided = numbers.map(() => new Set<number>());
    this.#sizeSeed = seedFor(seed, "sizes");
    this.#sizes = createSizes(size, this.#sizeSeed);
    this.#filler = Buffer.alloc(envelopeBytesMax);
    for (let at = 0; at < envelopeBytesMax; at++) this.#filler[at] = 32 + (mix32(seed, at, 3) % 95);
  }

  /** A free conversation, the user's own if it is; −1 when everything near it is busy. */
  take(user: number): number {
    const own = Math.floor(user / this.#options.share.count);
    for (let look = 0; look < Math.min(looksMax, this.count); look++) {
      const index = (own + look) % this.count;
      if (this.#busy[index] === 1) continue;
      this.#busy[index] = 1;
      return index;
    }
    return -1;
  }

  release(index: number): void {
    this.#busy[index] = 0;
  }

  idOf(index: number): Uuid {
    return this.#ids[index] as Uuid;
  }

  headOf(index: number): LogHead {
    return this.#heads[index] as LogHead;
  }

  /** Number of the next attempt to write to it, from 1. */
  nextAttempt(index: number): number {
    const attempt = (this.#attempts[index] as number) + 1;
    this.#attempts[index] = attempt;
    return attempt;
  }

  attemptsOf(index: number): number {
    return this.#attempts[index] as number;
  }

  messageId(index: number, attempt: number): Uuid {
    return derivedId(this.#idSeed, index * this.#options.share.count + this.#options.share.index, attempt);
  }

  member(index: number, which: 0 | 1): Uuid {
    return derivedId(this.#idSeed ^ 0x5bd1_e995, index * this.#options.share.count + this.#options.share.index, which);
  }

  /** The row of an attempt at the end of the log as it is known. */
  rowOf(index: number, attempt: number): LogRow {
    const { head, headUcount, headAt } = this.headOf(index);
    const bytes = Math.min(envelopeBytesMax, Math.max(1, this.#sizes(mix32(this.#sizeSeed, index, attempt))));
    const offset = (attempt * 61) % (envelopeBytesMax - bytes + 1);
    return {
      seq: head + 1,
      messageId: this.messageId(index, attempt),
      senderId: this.member(index, 0),
      senderDevice: 1,
      sentAt: Math.max(headAt, this.#options.nowMs()),
      kind: kinds.text,
      visibility: 0,
      ucount: headUcount + 1,
      envelope: this.#filler.subarray(offset, offset + bytes),
    };
  }

  acked(index: number, attempt: number, { seq, ucount, sentAt }: LogRow): void {
    (this.#acked[index] as Map<number, number>).set(attempt, seq);
    this.#heads[index] = { head: seq, headUcount: ucount, headAt: sentAt, membership: 0 };
  }

  undecided(index: number, attempt: number): void {
    (this.#undecided[index] as Set<number>).add(attempt);
  }

  /** The store has been asked where the log ends. */
  settle(index: number, head: LogHead): void {
    this.#heads[index] = head;
  }

  /** Attempt → seq of what was acked. */
  ackedOf(index: number): ReadonlyMap<number, number> {
    return this.#acked[index] as Map<number, number>;
  }

  undecidedOf(index: number): ReadonlySet<number> {
    return this.#undecided[index] as Set<number>;
  }
}
