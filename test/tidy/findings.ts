/** A text file of the repository; `path` counts from its root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Something that should not be there, and where. */
export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** Findings as one reads them in a failed test: `path:line: message`. */
export function describeFindings(findings: readonly Finding[]): string[] {
  return findings.map(({ path, line, message }) => `${path}:${line}: ${message}`);
}
