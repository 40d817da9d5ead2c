/**
 * Text with units → numbers, for scenario files and `--set`. Every parser answers in one base unit (its name says which)
 * and throws `UnitError` with a sentence for the author of the file; none of them guesses.
 */
export class UnitError extends Error {
  override readonly name = "UnitError";
  /** What the author most likely meant, ready to paste. */
  readonly suggestion: string | undefined;

  constructor(message: string, suggestion?: string) {
    super(message);
    this.suggestion = suggestion;
  }
}

export type Written = string | number;

const durationUnitsMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const durationWords: Readonly<Record<string, string>> = {
  µs: "us",
  msec: "ms",
  sec: "s",
  secs: "s",
  second: "s",
  seconds: "s",
  min: "m",
  mins: "m",
  minute: "m",
  minutes: "m",
  hour: "h",
  hours: "h",
  day: "d",
  days: "d",
  S: "s",
  H: "h",
};
const countUnits: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
const ratePeriodsSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const numberAndUnit = /^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµ]*)$/;
const durationParts = /([0-9]+(?:\.[0-9]+)?)\s*([A-Za-zµ]+)/gy;

/** `30s`, `200ms`, `1m30s`, `0s` → milliseconds ≥ 0. A bare number is refused: nobody can tell its unit. */
export function parseDurationMs(written: Written): number {
  const text = String(written).trim();
  if (text === "0") return 0;
  if (/^[0-9.]+$/.test(text)) throw new UnitError(`duration ${text} has no unit (us, ms, s, m, h, d)`, `${text}s`);
  durationParts.lastIndex = 0;
  let totalMs = 0;
  let at = 0;
  for (let part = durationParts.exec(text); part !== null; part = durationParts.exec(text)) {
    const unit = part[2] as string;
    const factor = durationUnitsMs[unit];
    if (factor === undefined) {
      const known = durationWords[unit];
      throw new UnitError(
        `unknown duration unit "${unit}" (us, ms, s, m, h, d)`,
        known === undefined ? undefined : text.replace(unit, known),
      );
    }
    totalMs += Number(part[1]) * factor;
    at = durationParts.lastIndex;
  }
  if (at !== text.length || text === "") throw new UnitError(`not a duration: "${text}" (write 30s, 200ms or 1m30s)`);
  return totalMs;
}

/** `1M`, `1.2k`, `500` → a number, whole or not. */
function parseScaled(text: string, what: string): number {
  const match = numberAndUnit.exec(text);
  if (match === null) throw new UnitError(`not a ${what}: "${text}" (write 500, 10k or 1M)`);
  const unit = match[2] as string;
  const factor = countUnits[unit];
  if (factor === undefined) {
    const meant = { K: "k", m: "M", g: "G", B: "G" }[unit];
    throw new UnitError(
      `unknown ${what} unit "${unit}" (k, M, G)`,
      meant === undefined ? undefined : `${match[1]}${meant}`,
    );
  }
  return Number(match[1]) * factor;
}

/** `1M`, `10k`, `1.5k`, `42` → a whole number ≥ 0. */
export function parseCount(written: Written): number {
  const text = String(written).trim();
  const value = Math.round(parseScaled(text, "count") * 1e6) / 1e6;
  if (!Number.isSafeInteger(value)) throw new UnitError(`not a whole number: "${text}"`);
  return value;
}

/** `2000/s`, `1.2k/s`, `60/m` → operations per second, > 0. */
export function parseRatePerSecond(written: Written): number {
  const text = String(written).trim();
  const slash = text.indexOf("/");
  if (slash < 0)
    throw new UnitError(
      `rate ${text} has no period (/s, /m, /h, /d)`,
      /^[0-9.]+[kMG]?$/.test(text) ? `${text}/s` : undefined,
    );
  const unit = text.slice(slash + 1).trim();
  const seconds = ratePeriodsSeconds[unit];
  if (seconds === undefined) {
    const meant = durationWords[unit];
    throw new UnitError(
      `unknown rate period "${unit}" (s, m, h, d)`,
      meant === undefined ? undefined : `${text.slice(0, slash)}/${meant}`,
    );
  }
  const perSecond = parseScaled(text.slice(0, slash).trim(), "rate") / seconds;
  if (perSecond <= 0) throw new UnitError("a rate must be above 0");
  return perSecond;
}

/** `85%`, `0.5%`, or a plain number in [0, 1] → share. */
export function parseShare(written: Written): number {
  const text = String(written).trim();
  const match = /^([0-9]+(?:\.[0-9]+)?)\s*%$/.exec(text);
  if (match !== null) return Number(match[1]) / 100;
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < 0)
    throw new UnitError(`not a percentage: "${text}" (write 85%)`);
  if (value > 1) throw new UnitError(`percentage ${text} has no sign`, `${text}%`);
  return value;
}

/** `200B`, `64KiB`, `1.5MB` → whole bytes. */
export function parseSizeBytes(written: Written): number {
  const text = String(written).trim();
  const match = numberAndUnit.exec(text);
  if (match === null) throw new UnitError(`not a size: "${text}" (write 200B or 64KiB)`);
  const unit = match[2] as string;
  if (unit === "") throw new UnitError(`size ${text} has no unit (${Object.keys(sizeUnits).join(", ")})`, `${text}B`);
  const factor = sizeUnits[unit];
  if (factor === undefined) {
    const meant =
      Object.keys(sizeUnits).find((known) => known.toLowerCase() === unit.toLowerCase()) ??
      { b: "B", k: "kB", m: "MB", g: "GB" }[unit.toLowerCase()];
    throw new UnitError(
      `unknown size unit "${unit}" (${Object.keys(sizeUnits).join(", ")})`,
      meant === undefined ? undefined : `${match[1]}${meant}`,
    );
  }
  return Math.round(Number(match[1]) * factor);
}

export type Operator = "<" | "<=" | ">" | ">=" | "==";

export interface Comparison {
  readonly operator: Operator;
  readonly value: number;
}

const operators: ReadonlySet<string> = new Set<Operator>(["<", "<=", ">", ">=", "=="]);

/** `< 50ms`, `>= 99%`, `== 0`; the value is read by `parseValue`. Without an operator, `bare` holds, if given. */
export function parseComparison(written: Written, parseValue: (text: string) => number, bare?: Operator): Comparison {
  const text = String(written).trim();
  const sign = /^[^0-9A-Za-z\s.]+/.exec(text)?.[0] ?? "";
  const rest = text.slice(sign.length).trim();
  if (sign === "") {
    if (bare === undefined) throw new UnitError(`comparison "${text}" has no operator (<, <=, >, >=, ==)`, `< ${text}`);
    return { operator: bare, value: parseValue(rest) };
  }
  if (!operators.has(sign)) {
    const meant = { "=": "==", "===": "==", "=<": "<=", "=>": ">=", "≤": "<=", "≥": ">=" }[sign];
    throw new UnitError(
      `unknown operator "${sign}" (<, <=, >, >=, ==)`,
      meant === undefined ? undefined : `${meant} ${rest}`,
    );
  }
  if (rest === "") throw new UnitError(`comparison "${text}" has no value`);
  return { operator: sign as Operator, value: parseValue(rest) };
}

export function compare(actual: number, comparison: Comparison): boolean {
  switch (comparison.operator) {
    case "<":
      return actual < comparison.value;
    case "<=":
      return actual <= comparison.value;
    case ">":
      return actual > comparison.value;
    case ">=":
      return actual >= comparison.value;
    case "==":
      return actual === comparison.value;
  }
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** `45s..47s` → inclusive bounds with low ≤ high. */
export function parseRange(written: Written, parseValue: (text: string) => number): Range {
  const text = String(written).trim();
  const parts = text.split("..");
  if (parts.length !== 2) throw new UnitError(`not a range: "${text}" (write low..high)`);
  const range = { low: parseValue((parts[0] as string).trim()), high: parseValue((parts[1] as string).trim()) };
  if (range.low > range.high)
    throw new UnitError(
      `range "${text}" is upside down`,
      `${(parts[1] as string).trim()}..${(parts[0] as string).trim()}`,
    );
  return range;
}
