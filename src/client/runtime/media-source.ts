import { open, type FileHandle } from "node:fs/promises";

/**
 * Bytes to be uploaded. Random access, so that a part that failed is read again instead of being kept: an upload holds a
 * part or two in memory, however large the media is. Whatever encrypts is a source around a source.
 */
export interface MediaSource {
  readonly sizeBytes: number;
  /** Bytes [fromByte, toByte) of it: the same ones every time. */
  read(fromByte: number, toByte: number): Promise<Uint8Array>;
}

export function bytesSource(bytes: Uint8Array): MediaSource {
  return { sizeBytes: bytes.length, read: async (fromByte, toByte) => bytes.subarray(fromByte, toByte) };
}

/** A file that nobody changes meanwhile (the upload fails with `media_mismatch` otherwise). Dispose of it afterwards. */
export async function fileSource(path: string): Promise<MediaSource & AsyncDisposable> {
  const handle = await open(path);
  const { size } = await handle.stat();
  return {
    sizeBytes: size,
    read: (fromByte, toByte) => readFully(handle, fromByte, toByte, path),
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** One read may bring less than was asked for. */
async function readFully(handle: FileHandle, fromByte: number, toByte: number, path: string): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(toByte - fromByte);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, fromByte + filled);
    if (bytesRead === 0) throw new Error(`${path} ended at byte ${fromByte + filled}, before ${toByte}`);
    filled += bytesRead;
  }
  return bytes;
}
