/**
 * Two 32-bit sums over (seq, id) of rows. The sum does not depend on the order in which rows arrive (order is checked
 * elsewhere), so a device adds rows as they come, and the hash of any range of a log is a difference of two prefixes.
 * A missing, doubled or exchanged row changes it, but for one chance in 2⁶⁴.
 */
export interface RowHash {
  readonly high: number;
  readonly low: number;
}

export const emptyHash: RowHash = { high: 0, low: 0 };

export function addRow(hash: RowHash, seq: number, id: string | number): RowHash {
  const [first, second] = wordsOf(id);
  return {
    high: (hash.high + blend(seq, first, second, 0x9e3779b9)) >>> 0,
    low: (hash.low + blend(seq, second, first, 0x85ebca6b)) >>> 0,
  };
}

export function subtractHash(whole: RowHash, part: RowHash): RowHash {
  return { high: (whole.high - part.high) >>> 0, low: (whole.low - part.low) >>> 0 };
}

export function sameHash(one: RowHash, other: RowHash): boolean {
  return one.high === other.high && one.low === other.low;
}

function wordsOf(id: string | number): readonly [number, number] {
  if (typeof id === "number") return [Math.floor(id / 0x1_0000_0000) | 0, id | 0];
  let first = 0x811c9dc5;
  let second = 0x01000193;
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index);
    first = Math.imul(first ^ code, 0x01000193);
    second = Math.imul(second ^ code, 0x5bd1e995) ^ (second >>> 15);
  }
  return [first, second];
}

function blend(seq: number, first: number, second: number, salt: number): number {
  let hash = Math.imul(seq ^ salt, 0xcc9e2d51);
  hash = Math.imul(hash ^ (hash >>> 15) ^ first, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13) ^ second, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
