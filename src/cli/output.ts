import type { CliError } from "./cli-error.ts";
import { exitCodes } from "./exit-codes.ts";

/** How a command speaks: data on stdout, everything said about it on stderr. */
export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  readonly stdoutColor: boolean;
  readonly stderrColor: boolean;
}

export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const styleCodes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly #options: OutputOptions;
  #printed = false;

  constructor(options: OutputOptions) {
    this.#options = options;
    this.json = options.json;
    this.quiet = options.quiet;
    this.verbose = options.verbose;
  }

  /** Whether a person looks at the data / at the talk. */
  get stdoutIsTerminal(): boolean {
    return this.#options.stdout.isTTY === true;
  }

  get stderrIsTerminal(): boolean {
    return this.#options.stderr.isTTY === true;
  }

  get columns(): number {
    return this.#options.stderr.columns ?? 80;
  }

  /** Data: one JSON document with --json, otherwise the text. */
  data(document: unknown, text: () => string): void {
    this.#printed = true;
    this.#options.stdout.write(this.json ? `${toJsonLine(document)}\n` : `${text()}\n`);
  }

  /** Data as it is, in either mode: for streams whose every line is a document already. */
  line(text: string): void {
    this.#printed = true;
    this.#options.stdout.write(`${text}\n`);
  }

  /** For the person: progress, hints, results in words. Silent with -q. */
  talk(text: string): void {
    if (!this.quiet) this.#options.stderr.write(`${text}\n`);
  }

  /** For logs: whatever is written here is talk, line by line, -q or not. */
  get talkSink(): TextSink {
    return this.#options.stderr;
  }

  /** With -v only. */
  detail(text: string): void {
    if (this.verbose) this.#options.stderr.write(`${this.style("dim", text)}\n`);
  }

  warn(text: string): void {
    this.#options.stderr.write(`${this.style("yellow", "warning:")} ${text}\n`);
  }

  /** What went wrong and the fix. With --json also a document on stdout if there is none yet, so that stdout parses. */
  fail(error: CliError, stack: boolean): void {
    this.#options.stderr.write(`${this.style("red", "error:")} ${error.message}\n`);
    if (error.fix !== undefined) this.#options.stderr.write(`  ${this.style("bold", "fix:")} ${error.fix}\n`);
    if (stack) this.#options.stderr.write(`${stackOf(error)}\n`);
    if (!this.json || this.#printed) return;
    const { code } = exitCodes[error.exit];
    const fix = error.fix === undefined ? {} : { fix: error.fix };
    this.#options.stdout.write(`${toJsonLine({ error: { exit: code, message: error.message, ...fix } })}\n`);
  }

  /** Styled for stderr. */
  style(style: Style, text: string): string {
    return this.#options.stderrColor ? paint(style, text) : text;
  }

  /** Styled for stdout. */
  styleData(style: Style, text: string): string {
    return this.#options.stdoutColor && !this.json ? paint(style, text) : text;
  }
}

/** What JSON leaves as it is and a terminal would act on, or could not show: C1 controls, invisible and BiDi characters. */
const unseen = /[\u007f-\u009f\p{Default_Ignorable_Code_Point}\u2028\u2029\ufff9-\ufffb]/gu;

/** JSON in one line that parses to the same and is safe to look at. */
function toJsonLine(document: unknown): string {
  return JSON.stringify(document).replaceAll(unseen, (character) =>
    character.replaceAll(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

function paint(style: Style, text: string): string {
  const [open, close] = styleCodes[style];
  return `\u001b[${open}m${text}\u001b[${close}m`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
