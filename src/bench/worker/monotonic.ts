/**
 * Milliseconds of the machine's monotonic clock, with fractions: comparable between all processes of one machine, unlike
 * performance.now(), which counts from the start of each. Reading it costs what performance.now() costs.
 */
export function monotonicMs(): number {
  return performance.now() + offsetMs;
}

const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();
