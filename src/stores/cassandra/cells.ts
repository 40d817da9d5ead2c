import { assert } from "../../base/assert.ts";
import { formatUuid, parseUuid, type Uuid } from "../../protocol/ids.ts";

/**
 * Values as they travel. What is written is put into bytes here: the driver passes byte arrays through as they are, and its
 * own number and id objects take several times as long. What is read comes as those objects.
 */

/** undefined = unset: the statement leaves the column alone. Never null, which would write a tombstone. */
export type Cell = Buffer | undefined;

/** A bigint, or a timestamp in ms: any integer in [0, 2⁵³). */
export function bigintCell(value: number): Buffer {
  assert(Number.isSafeInteger(value) && value >= 0, "a number that the store can hold");
  const cell = Buffer.allocUnsafe(8);
  const high = Math.floor(value / 0x1_0000_0000);
  writeInt32(cell, 0, high);
  writeInt32(cell, 4, value - high * 0x1_0000_0000);
  return cell;
}

export function intCell(value: number): Buffer {
  const cell = Buffer.allocUnsafe(4);
  writeInt32(cell, 0, value);
  return cell;
}

/** −128 … 127. */
export function tinyintCell(value: number): Buffer {
  const cell = Buffer.allocUnsafe(1);
  cell[0] = value;
  return cell;
}

export function uuidCell(id: Uuid): Buffer {
  return parseUuid(id, Buffer.allocUnsafe(16)) as Buffer;
}

/** Without a copy: the bytes must not change until the statement was answered. */
export function blobCell(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function writeInt32(target: Buffer, offset: number, value: number): void {
  target[offset] = value >>> 24;
  target[offset + 1] = value >>> 16;
  target[offset + 2] = value >>> 8;
  target[offset + 3] = value;
}

/** The driver's 64-bit number: two signed halves. */
export interface Int64 {
  readonly high: number;
  readonly low: number;
}

/** The driver's id. */
export interface UuidObject {
  getBuffer(): Buffer;
}

/** 0 for a cell that was never written. */
export function numberOf(cell: Int64 | null): number {
  return cell === null ? 0 : cell.high * 0x1_0000_0000 + (cell.low >>> 0);
}

export function uuidOf(cell: UuidObject): Uuid {
  return formatUuid(cell.getBuffer());
}
