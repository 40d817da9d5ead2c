/** A worker that dies is started again, after a pause that doubles; one that keeps dying ends the server. */
export const restartLimits = {
  /** Deaths of one worker in a row that end the server. */
  deathsInARowMax: 8,
  /** A worker that was ready for this long is in order again: its next death is the first. */
  steadyMs: 30_000,
  delayMinMs: 250,
  delayMaxMs: 5_000,
} as const;

/** How long to wait before the worker that died `deathsInARow` (≥ 1) times is started again, in ms. */
export function restartDelayMs(deathsInARow: number): number {
  return Math.min(restartLimits.delayMaxMs, restartLimits.delayMinMs * 2 ** (deathsInARow - 1));
}
