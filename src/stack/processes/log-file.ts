import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

/** A log that is longer than this when its process starts makes room: one older part is kept. */
const keptBytesMax = 16 * 1024 * 1024;
const tailBytesMax = 256 * 1024;

export function logSize(log: string): number {
  return statSync(log, { throwIfNoEntry: false })?.size ?? 0;
}

export function rotateLog(log: string): void {
  if (logSize(log) > keptBytesMax) renameSync(log, `${log}.1`);
}

/** The last `count` lines of what was written behind `from` (bytes). Nothing if there is no such file. */
export function lastLines(log: string, count: number, from = 0): readonly string[] {
  let descriptor: number;
  try {
    descriptor = openSync(log, "r");
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(descriptor);
    const start = Math.max(from <= size ? from : 0, size - tailBytesMax);
    const bytes = Buffer.alloc(size - start);
    const length = readSync(descriptor, bytes, 0, bytes.length, start);
    const lines = bytes.toString("utf8", 0, length).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return count === 0 ? [] : lines.slice(-count);
  } finally {
    closeSync(descriptor);
  }
}
