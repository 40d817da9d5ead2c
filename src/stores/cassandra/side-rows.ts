import type { ListWrite } from "../../core/model.ts";
import type { ReceiptWrite } from "../../core/ports/receipts.ts";
import { listStatements } from "./list-statements.ts";
import type { Urgency } from "./load-gate.ts";
import { receiptStatements } from "./receipt-statements.ts";
import type { CassandraSession, Statement } from "./session.ts";

/** Partitions of one fan-out that are written at once. Never a batch: one node would have to write for all of them. */
const partitionsAtOnce = 64;

/**
 * List rows and receipts, in two waves: where a reader stands is written after what it implies for others, so that whoever
 * finds the own watermark need not look further. Rejects with the first error, once nothing is under way any more.
 */
export async function writeSideRows(
  session: CassandraSession,
  lists: readonly ListWrite[],
  receipts: readonly ReceiptWrite[] | undefined,
  urgency: Urgency,
): Promise<void> {
  const { first, last } = inWaves(lists);
  await writePartitions(session, [...first, ...(receipts ?? []).map(receiptStatements)], urgency);
  await writePartitions(session, last, urgency);
}

interface Waves {
  readonly first: readonly (readonly Statement[])[];
  /** Own watermarks. */
  readonly last: readonly (readonly Statement[])[];
}

export function inWaves(lists: readonly ListWrite[]): Waves {
  return {
    first: lists.filter((write) => !isOwnWatermark(write)).map(listStatements),
    last: lists.filter(isOwnWatermark).map(listStatements),
  };
}

/** Rejects with the first error in the order given, once nothing is under way any more. */
export async function allOf(writes: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(writes)) if (outcome.status === "rejected") throw outcome.reason;
}

export async function writePartitions(
  session: CassandraSession,
  partitions: readonly (readonly Statement[])[],
  urgency: Urgency,
): Promise<void> {
  const [only] = partitions;
  if (only === undefined) return;
  if (partitions.length === 1) return session.write(only, urgency);
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    while (next < partitions.length && failure === undefined) {
      const statements = partitions[next++] as readonly Statement[];
      try {
        await session.write(statements, urgency);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(partitionsAtOnce, partitions.length) }, work));
  if (failure !== undefined) throw failure.error;
}

function isOwnWatermark(write: ListWrite): boolean {
  return write.read !== undefined || write.recvSeq !== undefined;
}
