import type { FaultList } from "./faults.ts";
import { addRow, emptyHash, type RowHash, sameHash, subtractHash } from "./row-hash.ts";
import type { LogRow, Name } from "./types.ts";

/**
 * I5: every device holds exactly the rows of the log from its start to the head, without a hole. Where the newest rows were
 * never acked (owed-seq.ts), it may end below any of them; but what it holds is still the log up to there.
 */
export interface DeviceRows {
  readonly device: Name;
  /** First seq that the device is to hold. */
  readonly start: number;
  /** Of all rows it holds at or above `start`. */
  readonly hash: RowHash;
}

/** `log`: the rows visible to these devices. `owedSeq`: up to which they have to hold them; all of them unless said. */
export function checkConvergence(
  conversation: Name,
  log: readonly LogRow[],
  devices: readonly DeviceRows[],
  found: FaultList,
  owedSeq = Number.POSITIVE_INFINITY,
): void {
  const rows = log.toSorted((one, other) => one.seq - other.seq);
  const seqs = rows.map((row) => row.seq);
  const prefixes: RowHash[] = [emptyHash];
  for (const row of rows) prefixes.push(addRow(prefixes.at(-1) as RowHash, row.seq, row.id));
  const firstAt = (from: number): number => {
    const at = seqs.findIndex((seq) => seq >= from);
    return at < 0 ? seqs.length : at;
  };
  const owed = firstAt(owedSeq + 1);
  for (const { device, start, hash } of devices) {
    const before = firstAt(start);
    const isPrefix = prefixes
      .slice(Math.max(owed, before))
      .some((whole) => sameHash(subtractHash(whole, prefixes[before] as RowHash), hash));
    if (!isPrefix) {
      found.add(
        "diverged",
        () => `device ${device} from seq ${start} of conversation ${conversation} differs from the log`,
      );
    }
  }
}
