import { formatUuid, type Uuid } from "../../protocol/ids.ts";
import { mix32 } from "./mix.ts";

/**
 * An id that is a function of (seed, a, b): what was written can be told again without having been kept. Shaped as UUIDv8.
 * 122 bits of a 32-bit hash under four seeds: two of a million are alike once in millions of runs.
 */
export function derivedId(seed: number, a: number, b: number): Uuid {
  const bytes = new Uint8Array(16);
  for (let word = 0; word < 4; word++) {
    const value = mix32(seed + word * 0x9e37_79b9, a, b);
    for (let byte = 0; byte < 4; byte++) bytes[word * 4 + byte] = (value >>> (byte * 8)) & 0xff;
  }
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return formatUuid(bytes);
}
