import { randomFillSync } from "node:crypto";

/** The only source of randomness for code that the simulator runs. */
export interface Random {
  /** Uniform integer in [0, 2³²). */
  uint32(): number;
  /** Uniform float in [0, 1) with 32 bits of resolution. */
  float(): number;
  /** Overwrites every byte of `target` and returns it. */
  fill(target: Uint8Array): Uint8Array;
}

/** Uniform integer in [0, bound), 1 ≤ bound ≤ 2³². The bias of scaling (< bound / 2³²) is irrelevant for every use here. */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random.float() * bound);
}

/** Cryptographic randomness, drawn from a pool so that an id does not cost a system call. */
export function createSystemRandom(): Random {
  const pool = new Uint8Array(4096);
  const view = new DataView(pool.buffer);
  let offset = pool.length;
  const take = (length: number): number => {
    if (offset + length > pool.length) {
      randomFillSync(pool);
      offset = 0;
    }
    offset += length;
    return offset - length;
  };
  const uint32 = (): number => view.getUint32(take(4));
  return {
    uint32,
    float: () => uint32() / 0x1_0000_0000,
    fill(target) {
      if (target.length > pool.length) return randomFillSync(target);
      const at = take(target.length);
      target.set(pool.subarray(at, at + target.length));
      pool.fill(0, at, at + target.length);
      return target;
    },
  };
}

/**
 * Deterministic generator for simulation and load: sfc32 (Chris Doty-Humphrey, PractRand), seeded through splitmix32.
 * Same seed, same sequence, on every machine. Never for secrets.
 */
export function createSeededRandom(seed: number): Random {
  let state = seed >>> 0;
  const splitmix = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const uint32 = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let round = 0; round < 12; round++) uint32();
  return {
    uint32,
    float: () => uint32() / 0x1_0000_0000,
    fill(target) {
      for (let index = 0; index < target.length; index++) target[index] = uint32() & 0xff;
      return target;
    },
  };
}
