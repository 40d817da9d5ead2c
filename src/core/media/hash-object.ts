import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

/**
 * SHA-256 of everything `bytes` brings, or undefined as soon as it is more than `sizeBytesMax`. Holds one piece at a time
 * and tells `onPassed` the size of each that it is done with. Rejects with what the stream failed with.
 */
export async function hashObject(
  bytes: Readable,
  sizeBytesMax: number,
  onPassed: (bytes: number) => void,
): Promise<Uint8Array | undefined> {
  const hash = createHash("sha256");
  let count = 0;
  // Leaving the loop destroys the stream.
  for await (const piece of bytes as AsyncIterable<Uint8Array>) {
    count += piece.length;
    if (count > sizeBytesMax) return undefined;
    hash.update(piece);
    onPassed(piece.length);
  }
  return hash.digest();
}
