import { z } from "zod";
import { didYouMean } from "../../base/did-you-mean.ts";
import type { SelectionSpec } from "../data/selection.ts";
import type { SizeSpec } from "../data/sizes.ts";
import {
  parseCount,
  parseDurationMs,
  parseRatePerSecond,
  parseShare,
  parseSizeBytes,
  UnitError,
  type Written,
} from "../units.ts";

/** The fields scenarios are made of. A problem's likely fix travels in `params.suggestion` of its zod issue. */
interface Context {
  addIssue(issue: { code: "custom"; message: string; path?: PropertyKey[]; params?: { suggestion?: string } }): void;
}

export function fail(context: Context, message: string, suggestion?: string, path: PropertyKey[] = []): never {
  context.addIssue({ code: "custom", message, path, params: suggestion === undefined ? {} : { suggestion } });
  return z.NEVER;
}

/** Runs a parser of units.ts; its complaint becomes an issue. */
export function attempt<T>(context: Context, parse: () => T, path: PropertyKey[] = []): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    return fail(context, error.message, error.suggestion, path);
  }
}

const written = z.union([z.string(), z.number()], { error: "expected text or a number" });

function unitField(parse: (text: Written) => number, low: number, high: number, bounds: string) {
  return written.transform((text, context) => {
    const value = attempt(context, () => parse(text));
    return value < low || value > high ? fail(context, `must be ${bounds}`) : value;
  });
}

export const durationField = unitField(parseDurationMs, 0, 7 * 86_400_000, "at most 7d");
export const positiveDurationField = unitField(parseDurationMs, 1, 7 * 86_400_000, "between 1ms and 7d");
export const rateField = unitField(parseRatePerSecond, 0, 10_000_000, "at most 10M/s");
export const shareField = unitField(parseShare, 0, 1, "between 0% and 100%");
export function countField(low: number, high: number) {
  return unitField(parseCount, low, high, `between ${low} and ${high}`);
}

/** Of bytes. */
export function sizeField(low: number, high: number) {
  return unitField(parseSizeBytes, low, high, `between ${low}B and ${high}B`);
}

/** A closed set of words, with did-you-mean. */
export function wordField<const Words extends readonly string[]>(what: string, words: Words) {
  return z.string({ error: `expected ${what}: ${words.join(", ")}` }).transform((word, context): Words[number] => {
    if (words.includes(word)) return word;
    return fail(context, `unknown ${what} "${word}" (${words.join(", ")})`, didYouMean(word, words));
  });
}

/** An object in which an unknown key is a problem. The known ones travel in the issue's message (see issues.ts). */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => (issue.code === "unrecognized_keys" ? Object.keys(shape).join(" ") : undefined),
  });
}

const looseMap = z.record(z.string(), z.unknown());
const selectionForms = "uniform, latest, {zipf: 1.1} or {hotspot: {users: 1%, share: 90%}}";
const hotspotSection = section({ users: shareField, share: shareField });

export const selectionField = z
  .union([z.string(), looseMap], { error: `expected ${selectionForms}` })
  .transform((value, context): SelectionSpec => {
    if (typeof value === "string") {
      if (value === "uniform" || value === "latest") return { kind: value };
      const meant = value === "zipf" ? "{zipf: 1.1}" : didYouMean(value, ["uniform", "latest"]);
      return fail(context, `unknown selection "${value}" (${selectionForms})`, meant);
    }
    const [kind, ...more] = Object.keys(value);
    if (more.length > 0) return fail(context, `a selection has one key: ${selectionForms}`);
    if (kind === "zipf") {
      const exponent = value["zipf"];
      const usable = typeof exponent === "number" && exponent > 0 && exponent <= 5;
      return usable
        ? { kind, exponent }
        : fail(context, "a zipf exponent is a number above 0 and up to 5", "1.1", [kind]);
    }
    if (kind === "hotspot") {
      const spot = hotspotSection.safeParse(value["hotspot"]);
      if (spot.success) return { kind, items: spot.data.users, share: spot.data.share };
      return fail(context, `a hotspot is {users: 1%, share: 90%}`, undefined, [kind]);
    }
    return fail(
      context,
      `unknown selection "${kind ?? ""}" (${selectionForms})`,
      didYouMean(kind ?? "", ["zipf", "hotspot"]),
    );
  });

const sizeForms = "200B, {weighted: {200B: 80, 2kB: 20}} or {lognormal: {median: 200B, sigma: 0.6, max: 4kB}}";
const lognormalSection = section({ median: written, sigma: z.number().positive().max(3), max: written });

/** A size of text that every envelope can hold. */
export const textSizeField = z
  .union([z.string(), z.number(), looseMap], { error: `expected ${sizeForms}` })
  .transform((value, context): SizeSpec => {
    if (typeof value !== "object") return { kind: "fixed", bytes: textBytes(value, context, []) };
    const [kind, ...more] = Object.keys(value);
    const inner = value[kind ?? ""];
    if (more.length > 0) return fail(context, `a size has one form: ${sizeForms}`);
    if (kind === "weighted") {
      const weights = looseMap.safeParse(inner);
      if (!weights.success || Object.keys(weights.data).length === 0)
        return fail(context, `expected ${sizeForms}`, undefined, [kind]);
      const choices = Object.entries(weights.data).map(([text, weight]) => ({
        bytes: textBytes(text, context, [kind, text]),
        weight:
          typeof weight === "number" && weight > 0
            ? weight
            : fail(context, "a weight is a number above 0", undefined, [kind, text]),
      }));
      return { kind, choices };
    }
    if (kind === "lognormal") {
      const parts = lognormalSection.safeParse(inner);
      if (!parts.success) return fail(context, `expected ${sizeForms}`, undefined, [kind]);
      const medianBytes = textBytes(parts.data.median, context, [kind, "median"]);
      const bytesMax = textBytes(parts.data.max, context, [kind, "max"]);
      if (medianBytes > bytesMax) return fail(context, "the median is above the maximum", undefined, [kind, "median"]);
      return { kind, medianBytes, sigma: parts.data.sigma, bytesMax };
    }
    return fail(
      context,
      `unknown size "${kind ?? ""}" (${sizeForms})`,
      didYouMean(kind ?? "", ["weighted", "lognormal"]),
    );
  });

const textBytesMax = 40_000;

function textBytes(text: Written, context: Context, path: PropertyKey[]): number {
  const bytes = attempt(context, () => parseSizeBytes(text), path);
  if (bytes === z.NEVER) return z.NEVER;
  return bytes <= textBytesMax ? bytes : fail(context, `a text is at most ${textBytesMax / 1_000}kB`, undefined, path);
}
