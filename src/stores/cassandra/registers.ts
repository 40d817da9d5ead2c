import { assert } from "../../base/assert.ts";
import { bigintCell } from "./cells.ts";

/**
 * A register that only a higher seq moves, without reading it first: the seq is the time of the write (USING TIMESTAMP), and
 * Cassandra keeps the latest in any order of arrival. At equal times the larger value stays, cell by cell, as in
 * mergeListRow. Far below the clock, so that no write by the clock is ever shadowed by a register.
 */
const timestampBase = 1_600_000_000_000_000;

export function registerTimestamp(seq: number): Buffer {
  assert(seq <= Number.MAX_SAFE_INTEGER - timestampBase, "a seq that can drive a register");
  return bigintCell(timestampBase + seq);
}

/** A time of which the earlier one is the larger value: of two writes with one seq the first keeps its time. */
export function reversedTime(atMs: number): Buffer {
  return bigintCell(Number.MAX_SAFE_INTEGER - atMs);
}

export function timeOfReversed(value: number): number {
  return value === 0 ? 0 : Number.MAX_SAFE_INTEGER - value;
}
