import { ScanError } from "../scanned.ts";

/**
 * The words of CQL, as Cassandra's own lexer has them (Lexer.g): enough to know what is text, what is comment and where a
 * statement ends.
 */
export type CqlTokenKind = "blank" | "comment" | "string" | "quoted" | "word" | "number" | "symbol";

export interface CqlToken {
  readonly kind: CqlTokenKind;
  /** UTF-16 units from 0; `end` excluded. */
  readonly start: number;
  readonly end: number;
}

const patterns: readonly (readonly [CqlTokenKind, RegExp])[] = [
  ["blank", /\s+/y],
  ["comment", /(?:--|\/\/)[^\n]*/y],
  ["comment", /\/\*[^]*?\*\//y],
  ["string", /\$\$[^]*?\$\$/y],
  ["string", /'(?:[^']|'')*'/y],
  ["quoted", /"(?:[^"]|"")*"/y],
  ["number", /0x[0-9a-f]*|\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![a-z0-9_])/iy],
  // Also what begins with a digit: uuids and durations are words here.
  ["word", /[\p{L}\p{N}_]+/uy],
];

/** What may open at a place and never close. */
const openers: readonly (readonly [string, string])[] = [
  ["/*", "a comment that is never closed"],
  ["$$", "a $$ string that is never closed"],
  ["'", "a string that is never closed"],
  ['"', "a quoted name that is never closed"],
];

/** Every character of `text` in one token, in order. Throws ScanError for what never closes. Linear in the length. */
export function tokenizeCql(text: string): readonly CqlToken[] {
  const tokens: CqlToken[] = [];
  let at = 0;
  while (at < text.length) {
    const token = tokenAt(text, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

function tokenAt(text: string, start: number): CqlToken {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = start;
    if (pattern.test(text)) return { kind, start, end: pattern.lastIndex };
  }
  for (const [opener, what] of openers) if (text.startsWith(opener, start)) throw new ScanError(what, start);
  const width = (text.codePointAt(start) as number) > 0xffff ? 2 : 1;
  return { kind: "symbol", start, end: start + width };
}
