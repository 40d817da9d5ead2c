import { ScanError, type ScannedFile, type Span } from "../scanned.ts";
import { tokenizeCql, type CqlToken } from "./tokens.ts";

/**
 * Cuts a CQL file into statements. One ends at a semicolon; the semicolons between BEGIN … BATCH and APPLY BATCH belong to
 * the batch. Throws ScanError.
 */
export function scanCql(text: string): ScannedFile {
  const tokens = tokenizeCql(text);
  const comments = tokens.filter(({ kind }) => kind === "comment");
  const statements: Span[] = [];
  let current: CqlToken[] = [];
  for (const token of tokens) {
    if (token.kind === "blank" || token.kind === "comment") continue;
    if (text[token.start] !== ";" || isInBatch(text, current)) {
      current.push(token);
      continue;
    }
    if (current.length > 0) statements.push(spanOf(current));
    current = [];
  }
  if (current.length > 0) {
    const what = isInBatch(text, current) ? "a batch without APPLY BATCH;" : "a statement without its semicolon";
    throw new ScanError(what, spanOf(current).start);
  }
  return { comments, statements };
}

function spanOf(tokens: readonly CqlToken[]): Span {
  return { start: (tokens[0] as CqlToken).start, end: (tokens.at(-1) as CqlToken).end };
}

function isInBatch(text: string, tokens: readonly CqlToken[]): boolean {
  const word = (token: CqlToken | undefined): string =>
    token?.kind === "word" ? text.slice(token.start, token.end).toUpperCase() : "";
  if (word(tokens[0]) !== "BEGIN") return false;
  const isBatch = word(tokens[1]) === "BATCH" || word(tokens[2]) === "BATCH";
  const isApplied = word(tokens.at(-1)) === "BATCH" && word(tokens.at(-2)) === "APPLY";
  return isBatch && !isApplied;
}
