/**
 * Reads TypeScript well enough to tell code from comments and strings, so that the checks of this folder look at what
 * runs and not at what is written about. It keeps every offset and line break: what is not wanted becomes blanks.
 */

/** `comments`: blank comments only (imports keep their names). `all`: blank strings, templates and patterns too. */
type Blanking = "comments" | "all";

interface Reader {
  readonly text: string;
  readonly blanking: Blanking;
  readonly output: string[];
  at: number;
  /** The last thing that was code: a slash after a value divides, elsewhere it opens a pattern. */
  previous: string;
}

const keywordsBeforePattern = new Set(["return", "typeof", "case", "in", "of", "do", "else", "await", "yield", "void"]);

const blankOf = (text: string): string => text.replace(/[^\n]/g, " ");

/** Moves on by `length` characters, which are code (kept), or a literal (kept unless all is blanked), or a comment. */
function take(reader: Reader, length: number, what: "code" | "literal" | "comment"): void {
  const part = reader.text.slice(reader.at, reader.at + length);
  const isKept = what === "code" || (what === "literal" && reader.blanking === "comments");
  reader.output.push(isKept ? part : blankOf(part));
  reader.at += length;
}

/** The length of the string or pattern that opens at `at`; it ends at its unescaped delimiter or with the line. */
function literalLength(text: string, at: number, delimiter: string): number {
  let isInClass = false;
  for (let end = at + 1; end < text.length; end += 1) {
    const character = text[end];
    if (character === "\\") end += 1;
    else if (character === "\n") return end - at;
    else if (delimiter === "/" && character === "[") isInClass = true;
    else if (delimiter === "/" && character === "]") isInClass = false;
    else if (character === delimiter && !isInClass) return end + 1 - at;
  }
  return text.length - at;
}

/** A template: its words are a literal, what stands in `${}` is code again. */
function takeTemplate(reader: Reader): void {
  let start = reader.at;
  let end = start + 1;
  for (; end < reader.text.length; end += 1) {
    const character = reader.text[end];
    if (character === "\\") end += 1;
    else if (character === "`") break;
    else if (character === "$" && reader.text[end + 1] === "{") {
      take(reader, end + 2 - start, "literal");
      takeCode(reader, "}");
      start = reader.at;
      end = start - 1;
    }
  }
  take(reader, Math.min(end + 1, reader.text.length) - start, "literal");
}

function opensPattern(previous: string): boolean {
  return previous === "" || /[(,=:[!&|?{};+\-*%<>~^]$/.test(previous) || keywordsBeforePattern.has(previous);
}

/** Reads code up to `closing` (the end of a template's hole), or to the end of the text when there is none. */
function takeCode(reader: Reader, closing?: "}"): void {
  let depth = 0;
  while (reader.at < reader.text.length) {
    const { text, at } = reader;
    const character = text.charAt(at);
    const pair = text.slice(at, at + 2);
    if (pair === "//") take(reader, (text.indexOf("\n", at) + 1 || text.length + 1) - 1 - at, "comment");
    else if (pair === "/*") take(reader, (text.indexOf("*/", at + 2) + 2 || text.length + 1) - at, "comment");
    else if (character === '"' || character === "'" || (character === "/" && opensPattern(reader.previous))) {
      take(reader, literalLength(text, at, character), "literal");
      reader.previous = "a literal";
    } else if (character === "`") {
      takeTemplate(reader);
      reader.previous = "a literal";
    } else {
      if (character === "{") depth += 1;
      if (character === "}") {
        if (depth === 0 && closing !== undefined) return take(reader, 1, "literal");
        depth -= 1;
      }
      const word = /^[\w$]+/.exec(text.slice(at, at + 64))?.[0] ?? character;
      if (word.trim() !== "") reader.previous = word;
      take(reader, word.length, "code");
    }
  }
}

/** `text` with its comments (or its comments and literals) turned into blanks, offsets and lines unchanged. */
export function blank(text: string, blanking: Blanking): string {
  const reader: Reader = { text, blanking, output: [], at: 0, previous: "" };
  takeCode(reader);
  return reader.output.join("");
}

/** The line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

export interface ImportedName {
  readonly specifier: string;
  readonly line: number;
}

const importPatterns = [
  /\b(?:import|export)\b[^"'`;()]*?\bfrom\s*["']([^"']+)["']/g,
  /\bimport\s*["']([^"']+)["']/g,
  /\b(?:import|require)\s*\(\s*["'`]([^"'`]+)["'`]/g,
];

/** Every module that `text` names: imports and re-exports, of values and of types, static and dynamic. */
export function importsOf(text: string): ImportedName[] {
  const code = blank(text, "comments");
  const found: ImportedName[] = [];
  for (const pattern of importPatterns) {
    for (const match of code.matchAll(pattern)) {
      found.push({ specifier: match[1] ?? "", line: lineAt(code, match.index) });
    }
  }
  return found.toSorted((a, b) => a.line - b.line);
}
