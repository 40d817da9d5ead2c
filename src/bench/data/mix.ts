/**
 * Counter-based randomness: a value is a function of (seed, a, b), never of what was drawn before. So any part of a run
 * can be replayed alone, and the same seed gives the same operations on any number of workers. MurmurHash3 (x86, 32 bits)
 * over three words; not for secrets.
 */
export function mix32(seed: number, a: number, b: number): number {
  let hash = seed | 0;
  hash = round(hash, a | 0);
  hash = round(hash, (a / 0x1_0000_0000) | 0);
  hash = round(hash, b | 0);
  hash ^= 12;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Uniform in [0, 1), 32 bits of resolution. */
export function mixFloat(seed: number, a: number, b: number): number {
  return mix32(seed, a, b) / 0x1_0000_0000;
}

/** Uniform integer in [0, bound), bound ≤ 2³². */
export function mixBelow(seed: number, a: number, b: number, bound: number): number {
  return Math.floor(mixFloat(seed, a, b) * bound);
}

/** A seed of its own for each purpose ("arrivals of workload beat"), so that two purposes never see the same values. */
export function seedFor(seed: number, purpose: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < purpose.length; index++) hash = Math.imul(hash ^ purpose.charCodeAt(index), 0x01000193);
  return mix32(seed, hash >>> 0, purpose.length);
}

function round(hash: number, word: number): number {
  let mixed = Math.imul(word, 0xcc9e2d51);
  mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  const next = hash ^ mixed;
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}
