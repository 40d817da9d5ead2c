import { crc32 } from "node:zlib";
import type { StoredChange } from "./stored-state.ts";

/**
 * A journal file: the header, then records of [payload bytes, u32 LE][CRC-32 of the payload, u32 LE][payload: one
 * StoredChange as UTF-8 JSON]. A crash leaves a prefix of what was written plus, at most, a torn last record.
 */
export const journalVersion = 1;
const headerText = "msgr-client-journal ";
export const journalHeader = Buffer.from(`${headerText}${journalVersion}\n`);
const frameBytes = 8;
/** A page of rows is at most pageBytesMax on the wire; anything beyond this is not a length but garbage. */
const payloadBytesMax = 16 * 1024 * 1024;

export function encodeRecord(change: StoredChange): Buffer {
  const payload = Buffer.from(JSON.stringify(change));
  const record = Buffer.allocUnsafe(frameBytes + payload.length);
  record.writeUInt32LE(payload.length, 0);
  record.writeUInt32LE(crc32(payload), 4);
  payload.copy(record, frameBytes);
  return record;
}

export type HeaderCheck = "ok" | "torn" | "newer" | "foreign";

export function checkHeader(file: Buffer): HeaderCheck {
  if (file.subarray(0, journalHeader.length).equals(journalHeader)) return "ok";
  if (journalHeader.subarray(0, file.length).equals(file)) return "torn";
  const line = file.subarray(0, 64).toString("latin1").split("\n")[0] ?? "";
  return line.startsWith(headerText) && Number(line.slice(headerText.length)) > journalVersion ? "newer" : "foreign";
}

export interface JournalScan {
  readonly changes: readonly StoredChange[];
  /** Bytes up to the end of the last whole record; what follows is torn. */
  readonly goodBytes: number;
  /** A record in the middle is damaged while a later one is whole: that is no crash of ours. */
  readonly corrupt: boolean;
}

/** Reads the records of a file whose header is "ok". */
export function scanJournal(file: Buffer): JournalScan {
  const changes: StoredChange[] = [];
  let offset = journalHeader.length;
  while (offset < file.length) {
    const payload = recordAt(file, offset);
    if (payload === undefined) return { changes, goodBytes: offset, corrupt: hasRecordAfter(file, offset) };
    changes.push(JSON.parse(payload.toString("utf8")) as StoredChange);
    offset += frameBytes + payload.length;
  }
  return { changes, goodBytes: offset, corrupt: false };
}

/** The payload of the record that starts at `offset`, if it is whole. */
function recordAt(file: Buffer, offset: number): Buffer | undefined {
  if (offset + frameBytes > file.length) return undefined;
  const length = file.readUInt32LE(offset);
  if (length < 2 || length > payloadBytesMax || offset + frameBytes + length > file.length) return undefined;
  const payload = file.subarray(offset + frameBytes, offset + frameBytes + length);
  return crc32(payload) === file.readUInt32LE(offset + 4) ? payload : undefined;
}

/** Whether a whole record follows a damaged one whose length can still be believed. */
function hasRecordAfter(file: Buffer, offset: number): boolean {
  if (offset + frameBytes > file.length) return false;
  const next = offset + frameBytes + file.readUInt32LE(offset);
  return next < file.length && recordAt(file, next) !== undefined;
}
