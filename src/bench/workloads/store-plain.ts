import type { BareCassandra } from "../../stores/cassandra/bare-client.ts";
import type { StoreLedger } from "../ledger/store-ledger.ts";
import { insertPlainRow } from "./store-bare-cassandra.ts";
import type { StoreConversations } from "./store-conversations.ts";
import { readBack, type ReadBackParts } from "./store-read-back.ts";
import type { StoreWork } from "./store-work.ts";

/**
 * store.plain: the row of an append, written without a condition and without a head. No server does this: it is the unit
 * in which an append is counted.
 */
export class PlainWork implements StoreWork {
  readonly #client: BareCassandra;
  readonly #parts: Omit<ReadBackParts, "lists">;
  #acked = 0;
  #undecided = 0;

  constructor(client: BareCassandra, parts: Omit<ReadBackParts, "lists">) {
    this.#client = client;
    this.#parts = parts;
  }

  run(user: number): Promise<unknown> | undefined {
    const index = this.#parts.conversations.take(user);
    return index < 0 ? undefined : this.#write(index, this.#parts.conversations);
  }

  async verify(ledger: StoreLedger): Promise<void> {
    ledger.sent += this.#acked + this.#undecided;
    ledger.acked += this.#acked;
    ledger.undecided += this.#undecided;
    await readBack({ ...this.#parts, lists: undefined }, ledger);
  }

  async #write(index: number, conversations: StoreConversations): Promise<void> {
    const attempt = conversations.nextAttempt(index);
    const row = conversations.rowOf(index, attempt);
    const bucket = Math.floor((row.seq - 1) / this.#parts.log.bucketRows);
    try {
      await insertPlainRow(this.#client, conversations.idOf(index), bucket, row);
    } catch (error) {
      // It may come later and overwrite whatever stood there, so the place is left to it and nothing follows.
      this.#undecided++;
      conversations.undecided(index, attempt);
      throw error;
    }
    this.#acked++;
    conversations.acked(index, attempt, row);
    conversations.release(index);
  }
}
