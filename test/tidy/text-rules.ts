import { blank, lineAt } from "./source-text.ts";
import type { Finding, SourceFile } from "./findings.ts";

/** A rule looks for a pattern in some files, in the code alone or in the whole text. */
interface TextRule {
  readonly message: string;
  readonly pattern: RegExp;
  readonly within: "code" | "text";
  readonly applies: (path: string) => boolean;
  /** Says that a match is fine after all; `lines` is the line before and the line itself. */
  readonly excuses?: (lines: string) => boolean;
}

const isTypeScript = (path: string): boolean => path.endsWith(".ts") || path.endsWith(".tsx");
const isSource = (path: string): boolean => path.startsWith("src/") && isTypeScript(path);
const isTest = (path: string): boolean => path.endsWith(".test.ts") || path.startsWith("test/");
/** Code that runs under the simulator: the same seed must give the same run. */
const isDeterministic = (path: string): boolean =>
  /^src\/(?:core|protocol|client\/machine)\//.test(path) && isTypeScript(path) && !isTest(path);
const hasReason = (lines: string): boolean => /\/\/\s*\S+\s+\S+|\*\s+\S+\s+\S+/.test(lines);

export const textRules: readonly TextRule[] = [
  {
    message: "`any` switches the compiler off: name the type, or use unknown",
    pattern: /(?<![.\w$])any(?![\w$(:?])|\bz\.any\(/g,
    within: "code",
    applies: isTypeScript,
  },
  {
    message: "no compiler suppressions",
    pattern: /@ts-(?:ignore|nocheck)/g,
    within: "text",
    applies: isTypeScript,
  },
  {
    message: "an expected error needs its reason beside it",
    pattern: /@ts-expect-error\s*$/gm,
    within: "text",
    applies: isTypeScript,
  },
  {
    message: "named exports only",
    pattern: /\bexport\s+default\b|\bas\s+default\b/g,
    within: "code",
    applies: (path) => isTypeScript(path) && path !== "vitest.config.ts",
  },
  { message: "no barrel files", pattern: /\bexport\s*\*/g, within: "code", applies: isSource },
  {
    message: "one test alone is not a test run",
    pattern: /\b(?:it|test|describe|suite)\b(?:\.\w+)*\.only\b/g,
    within: "code",
    applies: isTest,
  },
  {
    message: "a test that does not run needs its reason in a comment",
    pattern: /\b(?:it|test|describe|suite)\b(?:\.\w+)*\.(?:skip|skipIf|runIf|todo|fails)\b/g,
    within: "code",
    applies: isTest,
    excuses: hasReason,
  },
  {
    message: "finish it, or write down in an issue what is missing",
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/g,
    within: "text",
    applies: (path) => !path.startsWith("test/tidy"),
  },
  {
    message: "only src/cli/main.ts ends the process",
    pattern: /\bprocess\s*\.\s*(?:exit|abort|reallyExit)\s*\(/g,
    within: "code",
    applies: (path) => isSource(path) && path !== "src/cli/main.ts",
  },
  {
    message: "only src/cli/env.ts reads the environment",
    pattern: /\bprocess\s*\.\s*env\b/g,
    within: "code",
    applies: (path) => isSource(path) && !isTest(path) && path !== "src/cli/env.ts",
  },
  {
    message: "clock, timers and randomness are handed in, so that a seed replays the run",
    pattern:
      /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bperformance\.now\b|\bset(?:Timeout|Interval|Immediate)\(|\brandom(?:UUID|Bytes|Int)\(/g,
    within: "code",
    applies: isDeterministic,
  },
  {
    message: "no paths of one machine",
    pattern: /(?<![\w.~)}\]<>*-])\/(?:work|root|home|Users|tmp)\/[\w.]/g,
    within: "text",
    applies: () => true,
  },
];

/** What one rule finds in one file. */
export function checkText(rule: TextRule, { path, text }: SourceFile): Finding[] {
  if (!rule.applies(path)) return [];
  const searched = rule.within === "code" ? blank(text, "all") : text;
  const lines = text.split("\n");
  const findings: Finding[] = [];
  for (const match of searched.matchAll(rule.pattern)) {
    const line = lineAt(searched, match.index);
    const context = lines.slice(Math.max(0, line - 2), line).join("\n");
    if (rule.excuses?.(context) !== true) findings.push({ path, line, message: `${rule.message}: ${match[0].trim()}` });
  }
  return findings;
}

const linesMax = 400;

/** A file of source code that is longer than one reads at a sitting. */
export function checkLength({ path, text }: SourceFile): Finding[] {
  const count = text.split("\n").length - 1;
  if (!isSource(path) || isTest(path) || count <= linesMax) return [];
  return [{ path, line: linesMax, message: `${count} lines, at most ${linesMax}` }];
}

/** A file whose name promises nothing but re-exports. */
export function checkName({ path }: SourceFile): Finding[] {
  if (!/(?:^|\/)index\.tsx?$/.test(path)) return [];
  return [{ path, line: 1, message: "no index files: name a file by what it holds" }];
}

/** A lock file that names the host it was made with would install from there only. */
export function checkLockFile({ path, text }: SourceFile): Finding[] {
  const at = text.indexOf('"resolved"');
  return at < 0 ? [] : [{ path, line: lineAt(text, at), message: "the lock file names a registry host" }];
}
