import { assert } from "../../base/assert.ts";
import { limits } from "../../protocol/limits.ts";

/** Bytes [fromByte, toByte) of media, and the number of the part that they are, from 1. */
export interface PartRange {
  readonly number: number;
  readonly fromByte: number;
  readonly toByte: number;
}

/** Media below this is uploaded in one piece. */
export function isMultipart(sizeBytes: number): boolean {
  return sizeBytes >= limits.mediaPartBytes;
}

/** The parts in which media of `sizeBytes` (1 to mediaBytesMax) is uploaded; all but the last have mediaPartBytes. */
export function planParts(sizeBytes: number): readonly PartRange[] {
  assert(Number.isInteger(sizeBytes) && sizeBytes >= 1 && sizeBytes <= limits.mediaBytesMax, `media of ${sizeBytes}`);
  const count = Math.ceil(sizeBytes / limits.mediaPartBytes);
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    fromByte: index * limits.mediaPartBytes,
    toByte: Math.min((index + 1) * limits.mediaPartBytes, sizeBytes),
  }));
}
