import type { Fault } from "./faults.ts";

/** I4: one recipient's watermarks in one conversation, as one observer is told. */
export interface Watermarks {
  readonly recvSeq: number;
  readonly readSeq: number;
}

/** What is true of the recipient at that moment: the most that its devices have stored and seen, own sends included. */
export interface RecipientTruth {
  readonly storedSeq: number;
  readonly viewedSeq: number;
  /** Own messages under way: they may be in the log already, above what the device knows. */
  readonly pending: number;
}

/** What is wrong with a report after `before`; undefined when nothing is. `truth` undefined: not known to the caller. */
export function checkStatus(
  before: Watermarks,
  after: Watermarks,
  truth: RecipientTruth | undefined,
): Fault | undefined {
  const deliveredBefore = Math.max(before.recvSeq, before.readSeq);
  const delivered = Math.max(after.recvSeq, after.readSeq);
  if (delivered < deliveredBefore || after.readSeq < before.readSeq) return "status_backwards";
  if (truth === undefined) return undefined;
  if (delivered > truth.storedSeq + truth.pending) return "delivered_too_early";
  if (after.readSeq > truth.viewedSeq + truth.pending) return "read_too_early";
  return undefined;
}
