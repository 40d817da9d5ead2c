/**
 * One pass over JSON text, before it is parsed, for what JSON.parse would accept in silence: nesting beyond `depthMax`,
 * the key `__proto__`, the same key twice in one object (two readers may disagree on which one counts; RFC 8259 §4),
 * and lone surrogates (they cannot be stored as UTF-8 and come back the same). Answers what is wrong, or undefined.
 * It does not check the grammar; JSON.parse does that next.
 *
 * Every frame of every client passes here, so strings are jumped over by indexOf, and a key costs one slice and a look
 * at the few keys before it; only objects with many keys get a Set, so that a hostile one stays linear.
 */
export function scanJson(text: string, depthMax: number): string | undefined {
  if (!text.isWellFormed()) return "lone surrogate";
  const escapes = text.includes("\\");
  const levels: (Keys | undefined)[] = [];
  const end = text.length;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const quote = escapes ? stringEnd(text, at) : text.indexOf('"', at + 1);
      if (quote < 0) return "not JSON";
      const escaped = escapes && hasBackslash(text, at, quote) ? unescaped(text.slice(at, quote + 1)) : undefined;
      if (escaped === null) return "not JSON";
      if (escaped !== undefined && !escaped.isWellFormed()) return "lone surrogate";
      const keys = levels.at(-1);
      if (keys !== undefined && isKey(text, quote + 1)) {
        const name = escaped ?? text.slice(at + 1, quote);
        if (name === "__proto__") return "forbidden key";
        if (!keys.add(name)) return "duplicate key";
      }
      at = quote;
    } else if (code === 0x7b || code === 0x5b) {
      if (levels.length === depthMax) return "nested too deeply";
      levels.push(code === 0x7b ? new Keys() : undefined);
    } else if (code === 0x7d || code === 0x5d) {
      levels.pop();
    }
  }
  return undefined;
}

const linearKeysMax = 16;

/** The keys seen so far in one object. */
class Keys {
  readonly #few: string[] = [];
  #many: Set<string> | undefined;

  /** False if the key was there already. */
  add(name: string): boolean {
    if (this.#many !== undefined) {
      const before = this.#many.size;
      return this.#many.add(name).size > before;
    }
    if (this.#few.includes(name)) return false;
    this.#few.push(name);
    if (this.#few.length === linearKeysMax) this.#many = new Set(this.#few);
    return true;
  }
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

function hasBackslash(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === 0x5c) return true;
  return false;
}

/** Whether the string that ended just before `from` is followed by a colon. */
function isKey(text: string, from: number): boolean {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code === 0x3a;
  }
  return false;
}

/** What the literal says, or null if it is not a JSON string. */
function unescaped(literal: string): string | null {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return null;
  }
}
