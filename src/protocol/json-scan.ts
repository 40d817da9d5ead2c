/**
 * One pass over JSON text, before it is parsed, for what JSON.parse would accept in silence: nesting beyond `depthMax`,
 * the key `__proto__`, the same key twice in one object (two readers may disagree on which one counts; RFC 8259 §4),
 * and lone surrogates (they cannot be stored as UTF-8 and come back the same). Answers what is wrong, or undefined.
 * It does not check the grammar; JSON.parse does that next.
 */
export function scanJson(text: string, depthMax: number): string | undefined {
  if (!text.isWellFormed()) return "lone surrogate";
  const objects: (Set<string> | undefined)[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const end = stringEnd(text, at);
      if (end < 0) return "not JSON";
      const raw = text.slice(at + 1, end);
      const name = raw.includes("\\") ? unescaped(text.slice(at, end + 1)) : raw;
      if (name === undefined) return "not JSON";
      if (!name.isWellFormed()) return "lone surrogate";
      const keys = objects.at(-1);
      if (keys !== undefined && nextSignificant(text, end + 1) === 0x3a) {
        if (name === "__proto__") return "forbidden key";
        if (keys.has(name)) return "duplicate key";
        keys.add(name);
      }
      at = end;
    } else if (code === 0x7b || code === 0x5b) {
      if (objects.length === depthMax) return "nested too deeply";
      objects.push(code === 0x7b ? new Set() : undefined);
    } else if (code === 0x7d || code === 0x5d) {
      objects.pop();
    }
  }
  return undefined;
}

/** Index of the quote that ends the string starting at `start`, or −1. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return -1;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote;
    at = quote + 1;
  }
}

function nextSignificant(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
  }
  return -1;
}

function unescaped(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
