import { spawn } from "node:child_process";

export interface ToolOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** It is killed after this. */
  readonly timeoutMs: number;
  readonly workingDirectory?: string;
  readonly input?: string;
  readonly account?: { readonly uid: number; readonly gid: number };
  readonly signal?: AbortSignal;
  /** Each line it says, on either stream. */
  readonly onLine?: (line: string) => void;
}

export interface ToolResult {
  /** undefined = there is no such program, or it could not be started. */
  readonly code: number | undefined;
  /** The last of both streams as they came, or why it could not be started. */
  readonly said: string;
}

const saidCharactersMax = 100_000;

/** Runs a program to its end. Never throws for what the program does. */
export function runTool(command: string, words: readonly string[], options: ToolOptions): Promise<ToolResult> {
  return new Promise((resolve) => {
    const child = spawn(command, words, {
      env: options.environment,
      stdio: ["pipe", "pipe", "pipe"],
      timeout: options.timeoutMs,
      killSignal: "SIGKILL",
      ...(options.workingDirectory === undefined ? {} : { cwd: options.workingDirectory }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...options.account,
    });
    let said = "";
    let line = "";
    const hear = (chunk: string): void => {
      said = `${said}${chunk}`.slice(-saidCharactersMax);
      const lines = `${line}${chunk}`.split("\n");
      line = (lines.pop() ?? "").slice(-saidCharactersMax);
      for (const whole of lines) options.onLine?.(whole);
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    // A program that does not read its input is none the worse for it.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.once("error", (error) => resolve({ code: undefined, said: error.message }));
    child.once("close", (code) => resolve({ code: code ?? 1, said }));
  });
}
