import { loadModule, parseSync, scanSync, type ParseResult } from "libpg-query";
import { ScanError, type ScannedFile, type Span } from "../scanned.ts";

/** A SQL file as PostgreSQL itself reads it. */
export interface ParsedSql extends ScannedFile {
  /** One for each of `statements`. */
  readonly nodes: readonly SqlNode[];
}

export type SqlNode = NonNullable<NonNullable<ParseResult["stmts"]>[number]["stmt"]>;

/** The parser is WebAssembly; it has to be loaded once before `parseSql`. Twice does no harm. */
export const loadSqlParser = loadModule;

/** Cuts a SQL file into statements with PostgreSQL's own parser. Throws ScanError. */
export function parseSql(text: string): ParsedSql {
  const comments: Span[] = [];
  const offsets = characterOffsets(text);
  const { stmts = [] } = parsed(text);
  for (const { start, end, tokenName } of scanSync(text).tokens) {
    if (tokenName === "SQL_COMMENT" || tokenName === "C_COMMENT")
      comments.push({ start: offsets(start), end: offsets(end) });
  }
  const statements = stmts.map(({ stmt_location: location = 0, stmt_len: length }): Span => {
    const start = afterBlanks(text, offsets(location), comments);
    // Only the last statement of a file can be without a semicolon; the parser then gives it no length.
    if (length === undefined || length === 0) throw new ScanError("a statement without its semicolon", start);
    return { start, end: offsets(location + length) };
  });
  return { comments, statements, nodes: stmts.map(({ stmt }) => stmt as SqlNode) };
}

function parsed(text: string): ParseResult {
  try {
    return parseSync(text);
  } catch (error) {
    const { message, sqlDetails } = error as Error & { sqlDetails?: { cursorPosition: number } };
    throw new ScanError(message, Math.max(0, sqlDetails?.cursorPosition ?? 0));
  }
}

/** The parser counts bytes of UTF-8. */
function characterOffsets(text: string): (byteOffset: number) => number {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length === text.length) return (byteOffset) => byteOffset;
  return (byteOffset) => bytes.toString("utf8", 0, byteOffset).length;
}

/** Where a statement really begins: its location includes what stands between it and the one before. */
function afterBlanks(text: string, from: number, comments: readonly Span[]): number {
  let at = from;
  for (;;) {
    const comment = comments.find(({ start }) => start === at);
    if (comment !== undefined) at = comment.end;
    else if (/\s/.test(text.charAt(at))) at += 1;
    else return at;
  }
}
