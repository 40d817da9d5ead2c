import type { LogRow, Name, SentMessage } from "./types.ts";

/**
 * The highest seq of a row that the messenger has answered for, 0 = none: acked to its sender, or not of this run's senders.
 * What stands above it was never acked: a sender gave up or was still waiting when the run ended. Nobody was promised those
 * rows yet, so a device or a list may end anywhere between here and the head (I1 is about acked messages). What stands at or
 * below it is owed to all, acked or not: a device that holds a row has no hole below it (I3, I5).
 */
export function owedSeqOf(log: readonly LogRow[], sent: readonly SentMessage[]): number {
  const undecided = new Set<Name>(sent.flatMap(({ id, outcome }) => (outcome === "undecided" ? [id] : [])));
  return log.reduce((highest, { id, seq }) => (undecided.has(id) ? highest : Math.max(highest, seq)), 0);
}
