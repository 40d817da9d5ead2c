import { derivedId } from "../data/derived-id.ts";
import { mix32 } from "../data/mix.ts";
import { eachOf } from "../driver/each-of.ts";
import { partOf } from "../executors/closed.ts";
import type { Share } from "../executors/executor.ts";
import type { StoreLedger } from "../ledger/store-ledger.ts";
import type { CassandraOperations, ConversationLists } from "./store-operations.ts";
import type { StoreWork } from "./store-work.ts";

/** store.register: raises the list row of a user to the next seq. Writes to one row may be under way side by side. */
export interface RegisterWorkOptions {
  readonly operations: CassandraOperations;
  /** Of the adapter, to read back. */
  readonly lists: ConversationLists;
  readonly seed: number;
  readonly run: number;
  readonly users: number;
  readonly share: Share;
  readonly nowMs: () => number;
}

const rowsAtOnce = 64;

export class RegisterWork implements StoreWork {
  readonly #options: RegisterWorkOptions;
  readonly #idSeed: number;
  readonly #raised: Uint32Array;
  readonly #acked: Uint32Array;
  #ackedCount = 0;
  #failedCount = 0;

  constructor(options: RegisterWorkOptions) {
    const { users, share, seed, run } = options;
    this.#options = options;
    this.#idSeed = mix32(seed, run, 1);
    this.#raised = new Uint32Array(partOf(users, share));
    this.#acked = new Uint32Array(this.#raised.length);
  }

  async run(user: number): Promise<void> {
    const { operations, share, nowMs } = this.#options;
    const index = Math.floor(user / share.count);
    const seq = (this.#raised[index] as number) + 1;
    this.#raised[index] = seq;
    const { userId, conversationId, peerId } = this.#idsOf(index);
    const last = { seq, ucount: seq, sender: peerId, at: nowMs() };
    try {
      await operations.raise({ userId, conversationId, kind: "direct", peerId, last });
    } catch (error) {
      this.#failedCount++;
      throw error;
    }
    this.#ackedCount++;
    this.#acked[index] = Math.max(seq, this.#acked[index] as number);
  }

  async verify(ledger: StoreLedger): Promise<void> {
    ledger.sent += this.#ackedCount + this.#failedCount;
    ledger.acked += this.#ackedCount;
    ledger.undecided += this.#failedCount;
    await eachOf(this.#acked.entries(), rowsAtOnce, async ([index, acked]) => {
      if (acked === 0) return;
      const { userId, conversationId } = this.#idsOf(index);
      const lastSeq = (await this.#options.lists.one(userId, conversationId))?.lastSeq ?? 0;
      if (lastSeq >= acked) return;
      ledger.faults.add("register_low", () => `list row of ${userId} stands at ${lastSeq}, acknowledged was ${acked}`);
    });
  }

  #idsOf(index: number) {
    const { share } = this.#options;
    const user = index * share.count + share.index;
    const [userId, conversationId, peerId] = [0, 1, 2].map((part) => derivedId(this.#idSeed, user, part));
    return { userId: userId as string, conversationId: conversationId as string, peerId: peerId as string };
  }
}
