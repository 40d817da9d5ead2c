import { didYouMean } from "../base/did-you-mean.ts";
import type { Directives } from "./migration.ts";
import { ScanError } from "./scanned.ts";
import { migrateLimits } from "./settings.ts";

interface Comment {
  readonly text: string;
  readonly offset: number;
}

const directivePattern = /^--\s*msgr:\s*(\S+)\s*(.*)$/;
const known = ["no-transaction", "timeout", "allow-destructive", "allow"];
const timeoutMsMax = 3_600_000;
const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** The directives among the comments at the head of a file. Throws ScanError for one that nobody knows. */
export function readDirectives(comments: readonly Comment[]): Directives {
  const directives = {
    noTransaction: false,
    timeoutMs: migrateLimits.statementTimeoutMs as number,
    allowDestructive: false,
    allowed: [] as string[],
  };
  for (const { text, offset } of comments) {
    const [, name, rest = ""] = directivePattern.exec(text) ?? [];
    if (name === undefined) continue;
    if (name === "no-transaction") directives.noTransaction = true;
    else if (name === "allow-destructive") directives.allowDestructive = true;
    else if (name === "timeout") directives.timeoutMs = readTimeout(rest, offset);
    else if (name === "allow") directives.allowed.push(...ruleNames(rest, offset));
    else throw unknownDirective(name, offset);
  }
  return directives;
}

/** The lint rules that the comments above a statement excuse it from. Throws ScanError for any other directive. */
export function readAllowances(comments: readonly Comment[]): readonly string[] {
  return comments.flatMap(({ text, offset }) => {
    const [, name, rest = ""] = directivePattern.exec(text) ?? [];
    if (name === undefined) return [];
    if (name === "allow") return ruleNames(rest, offset);
    if (!known.includes(name)) throw unknownDirective(name, offset);
    throw new ScanError(`the directive ${name} belongs to the head of the file, above every statement`, offset);
  });
}

function unknownDirective(name: string, offset: number): ScanError {
  const guess = didYouMean(name, known);
  const hint = guess === undefined ? `there are ${known.join(", ")}` : `did you mean ${guess}?`;
  return new ScanError(`unknown directive ${name}: ${hint}`, offset);
}

function readTimeout(words: string, offset: number): number {
  const [, number, unit = ""] = /^(\d+)\s*(ms|s|m)$/.exec(words.trim()) ?? [];
  const timeoutMs = Number(number) * (unitsMs[unit] ?? Number.NaN);
  if (timeoutMs >= 1 && timeoutMs <= timeoutMsMax) return timeoutMs;
  throw new ScanError("a timeout is a number with ms, s or m, at most 60m: -- msgr: timeout 30s", offset);
}

function ruleNames(words: string, offset: number): string[] {
  // A rule name, or several with commas; what follows is the reason.
  const [, names] = /^([a-z][a-z-]*(?:\s*,\s*[a-z][a-z-]*)*)/.exec(words) ?? [];
  if (names === undefined) throw new ScanError("name the lint rules to allow: -- msgr: allow drop, rename", offset);
  return names.split(",").map((name) => name.trim());
}
