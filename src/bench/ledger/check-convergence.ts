import type { FaultList } from "./faults.ts";
import { addRow, emptyHash, type RowHash, sameHash, subtractHash } from "./row-hash.ts";
import type { LogRow, Name } from "./types.ts";

/** I5: every device holds exactly the rows of the log from its start to the head. */
export interface DeviceRows {
  readonly device: Name;
  /** First seq that the device is to hold. */
  readonly start: number;
  /** Of all rows it holds at or above `start`. */
  readonly hash: RowHash;
}

/** `log`: the rows visible to these devices. */
export function checkConvergence(
  conversation: Name,
  log: readonly LogRow[],
  devices: readonly DeviceRows[],
  found: FaultList,
): void {
  const rows = log.toSorted((one, other) => one.seq - other.seq);
  const seqs = rows.map((row) => row.seq);
  const prefixes: RowHash[] = [emptyHash];
  for (const row of rows) prefixes.push(addRow(prefixes.at(-1) as RowHash, row.seq, row.id));
  const whole = prefixes.at(-1) as RowHash;
  for (const { device, start, hash } of devices) {
    const before = seqs.findIndex((seq) => seq >= start);
    const expected = subtractHash(whole, prefixes[before < 0 ? seqs.length : before] as RowHash);
    if (!sameHash(expected, hash)) {
      found.add(
        "diverged",
        () => `device ${device} from seq ${start} of conversation ${conversation} differs from the log`,
      );
    }
  }
}
