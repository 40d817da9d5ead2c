import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

/**
 * SHA-256 of everything `bytes` brings, or undefined as soon as it is more than `sizeBytesMax`. Holds one piece at a time.
 * Rejects with what the stream failed with.
 */
export async function hashObject(bytes: Readable, sizeBytesMax: number): Promise<Uint8Array | undefined> {
  const hash = createHash("sha256");
  let count = 0;
  // Leaving the loop destroys the stream.
  for await (const piece of bytes as AsyncIterable<Uint8Array>) {
    count += piece.length;
    if (count > sizeBytesMax) return undefined;
    hash.update(piece);
  }
  return hash.digest();
}
