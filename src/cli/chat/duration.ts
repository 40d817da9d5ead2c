import { CliError } from "../cli-error.ts";

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const durationMaxMs = 24 * 3_600_000;

/** `500ms`, `30s`, `2m`, `1h`, or a number of seconds; at most a day. Throws CliError `usage`. */
export function parseDuration(flag: string, text: string | undefined, fallbackMs: number): number {
  if (text === undefined) return fallbackMs;
  const [, digits, unit = "s"] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text) ?? [];
  const durationMs = digits === undefined ? Number.NaN : Number(digits) * (units[unit] as number);
  if (durationMs <= durationMaxMs) return durationMs;
  throw new CliError("usage", `${flag} ${text} is not a time.`, { fix: "Write 500ms, 30s, 2m or 1h." });
}

/** A whole number of [1, max]. Throws CliError `usage`. */
export function parseCount(flag: string, text: string | undefined, fallback: number, max: number): number {
  if (text === undefined) return fallback;
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= max) return count;
  throw new CliError("usage", `${flag} ${text} is not a whole number from 1 to ${max}.`, { fix: "Correct it." });
}
