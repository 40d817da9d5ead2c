import type { FaultList } from "./faults.ts";
import type { LogRow, Name } from "./types.ts";

/**
 * The messages of one sender on one device: each that the log has from the device's start on arrived, and no other. The
 * count is exact; which ones are missing is told from the holes that the device still had at the end. Rows above `owedSeq`
 * were never acked (owed-seq.ts): they may have arrived or not.
 */
export interface DeliveredStream {
  readonly device: Name;
  readonly sender: Name;
  /** First seq that the device is to hold. */
  readonly start: number;
  /** Different messages received at or above `start`. */
  readonly received: number;
  /** Highest number received, 0 = none. */
  readonly lastN: number;
  /** Inclusive runs of numbers below `lastN` that never arrived. */
  readonly missing: readonly (readonly [number, number])[];
}

/** Answers whether the stream is as the log has it. `log`: the rows of this sender, in any order. */
export function checkDelivered(
  conversation: Name,
  log: readonly LogRow[],
  stream: DeliveredStream,
  found: FaultList,
  owedSeq = Number.POSITIVE_INFINITY,
): boolean {
  // A number that stands in the log twice is owed if either is.
  const owed = new Set(log.flatMap((row) => (row.seq >= stream.start && row.seq <= owedSeq ? [row.n] : [])));
  const isExpected = (row: LogRow): boolean => row.seq >= stream.start && (owed.has(row.n) || !isAbsent(stream, row.n));
  const expected = log.filter(isExpected);
  const distinct = new Set(expected.map((row) => row.n)).size;
  const from = stream.start > 1 ? ` from seq ${stream.start}` : "";
  const where = (): string =>
    `sender ${stream.sender} → device ${stream.device} in conversation ${conversation}${from}`;
  if (stream.received < distinct) {
    const absent = expected.filter((row) => isAbsent(stream, row.n));
    const names = (): string =>
      absent
        .slice(0, 5)
        .map((row) => `n ${row.n} (seq ${row.seq}, message ${row.id})`)
        .join(", ");
    found.add("lost", () => `${where()}: ${names()} of ${distinct - stream.received}`, distinct - stream.received);
  } else if (stream.received > distinct) {
    const surplus = stream.received - distinct;
    found.add("invented", () => `${where()}: ${stream.received} received, ${distinct} in the log`, surplus);
  }
  return stream.received === distinct;
}

function isAbsent(stream: DeliveredStream, n: number): boolean {
  return n > stream.lastN || stream.missing.some(([from, to]) => n >= from && n <= to);
}
