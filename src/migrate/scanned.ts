import type { Place } from "./migration.ts";

/** A stretch of a file: offsets count UTF-16 units from 0, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A file cut into what runs and what is said about it, in the order of the text. */
export interface ScannedFile {
  readonly comments: readonly Span[];
  /** Without semicolons; never empty. */
  readonly statements: readonly Span[];
}

/** Text that is not in the language of its folder. */
export class ScanError extends Error {
  override readonly name = "ScanError";
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: offset - lineStart + 1 };
}

/** `cql/0001_messages.cql:3:7`. */
export function describePlace(file: string, { line, column }: Place): string {
  return `${file}:${line}:${column}`;
}
