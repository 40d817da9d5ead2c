import { BoundedQueue } from "../../base/bounded-queue.ts";
import { createDeferred, type Deferred } from "../../base/deferred.ts";
import type { ReceiptWrite } from "../../core/ports/receipts.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import { receiptStatements } from "./receipt-statements.ts";
import type { CassandraSession } from "./session.ts";

/** Rows of one statement to the node: a few kilobytes. */
const receiptsPerBatchMax = 64;
/** Of one conversation: every member of the largest group on some devices. */
const waitingMax = 4_096;

interface Waiting {
  readonly receipt: ReceiptWrite;
  readonly written: Deferred<void>;
}

/**
 * Receipts of one conversation, which are one partition, as few writes: what comes while one is under way goes with the next.
 * A message to a group is answered by all its members at once; a write each would be a thousand for the largest group,
 * where a few dozen do. A receipt waits for two writes at most as long as fewer than sixty-four come meanwhile.
 */
export class ReceiptBatches {
  readonly #session: CassandraSession;
  /** Of conversations with a write under way or about to be sent. */
  readonly #lines = new Map<string, BoundedQueue<Waiting>>();

  constructor(session: CassandraSession) {
    this.#session = session;
  }

  /** Resolves when it is durable. Rejects with what the session rejects with for the whole batch, or with `overloaded`. */
  write(receipt: ReceiptWrite): Promise<void> {
    const { conversationId } = receipt;
    const line = this.#lines.get(conversationId) ?? this.#begin(conversationId);
    const written = createDeferred<void>();
    if (!line.push({ receipt, written })) written.reject(new WireError("overloaded"));
    return written.promise;
  }

  /** Who comes in the same turn of the event loop goes with the first. */
  #begin(conversationId: string): BoundedQueue<Waiting> {
    const line = new BoundedQueue<Waiting>(waitingMax);
    this.#lines.set(conversationId, line);
    queueMicrotask(() => void this.#empty(conversationId, line));
    return line;
  }

  /** Never rejects. */
  async #empty(conversationId: string, line: BoundedQueue<Waiting>): Promise<void> {
    while (line.length > 0) await this.#send(take(line));
    this.#lines.delete(conversationId);
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      await this.#session.write(
        batch.flatMap(({ receipt }) => receiptStatements(receipt)),
        "begins",
      );
      for (const { written } of batch) written.resolve();
    } catch (error) {
      for (const { written } of batch) written.reject(error);
    }
  }
}

function take(line: BoundedQueue<Waiting>): readonly Waiting[] {
  const batch: Waiting[] = [];
  while (batch.length < receiptsPerBatchMax) {
    const next = line.shift();
    if (next === undefined) break;
    batch.push(next);
  }
  return batch;
}
