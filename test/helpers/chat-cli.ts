import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Readable, Writable } from "node:stream";

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What commands print with --json, as far as tests look at single fields. */
export interface Printed {
  readonly message_id: string;
  readonly sent_at: number;
  readonly group_id: string;
  readonly accounts: readonly object[];
  readonly chats: readonly object[];
  readonly members: readonly object[];
  readonly messages: readonly PrintedMessage[];
}

export interface PrintedMessage {
  readonly message_id: string;
  readonly text: string;
  readonly own: boolean;
  readonly cursor: string;
}

/** A person's machine: an empty home folder, in which `msgr` is called as from a shell. */
export class CliHome implements AsyncDisposable {
  readonly path = mkdtempSync(path.join(tmpdir(), "msgr-home-"));
  readonly #running = new Set<RunningCli>();

  /** Files of messages that `chat send` has no answer for, of all accounts. */
  unanswered(): readonly string[] {
    const names = readdirSync(path.join(this.path, ".local/state/msgr"), { recursive: true, encoding: "utf8" });
    return names.filter((name) => /outbox.*\.json$/.test(name));
  }

  get accountsFile(): string {
    return path.join(this.path, ".local/state/msgr/accounts.json");
  }

  start(words: readonly string[], environment: Readonly<Record<string, string>> = {}): RunningCli {
    const child = spawn(process.execPath, [main, ...words], {
      stdio: ["pipe", "pipe", "pipe"],
      cwd: this.path,
      env: { PATH: process.env["PATH"], HOME: this.path, LANG: "C.UTF-8", TZ: "UTC", ...environment },
    });
    const running = new RunningCli(child);
    this.#running.add(running);
    return running;
  }

  /** Runs to the end; `input` is all of standard input. */
  async run(words: readonly string[], input = ""): Promise<CliResult> {
    const running = this.start(words);
    running.child.stdin.end(input);
    return running.ended;
  }

  /** As `run`, for what must succeed; its JSON. */
  async json(words: readonly string[], input = ""): Promise<Printed> {
    const result = await this.run([...words, "--json"], input);
    if (result.code !== 0) throw new Error(`msgr ${words.join(" ")} ended with ${result.code}: ${result.stderr}`);
    return JSON.parse(result.stdout) as Printed;
  }

  async register(url: string, handle: string): Promise<void> {
    await this.json(["register", handle, "--server", url], `${passwordOf(handle)}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) await running.kill();
    rmSync(this.path, { recursive: true, force: true });
  }
}

export function passwordOf(handle: string): string {
  return `${handle}-password`;
}

/** A `msgr` that runs while a test watches what it says. */
export class RunningCli {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ended: Promise<CliResult>;
  #stdout = "";
  #stderr = "";

  constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
    child.stdin.on("error", () => undefined);
    this.ended = once(child, "close").then(([code]) => ({
      code: code as number | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Lines of standard output that are whole, as JSON. */
  documents(): PrintedMessage[] {
    return this.#stdout
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as PrintedMessage);
  }

  async until(holds: () => boolean, timeoutMs = 45_000): Promise<void> {
    const until = performance.now() + timeoutMs;
    while (!holds()) {
      if (performance.now() > until) throw new Error(`it said:\n${this.#stdout}\nand:\n${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(signal: NodeJS.Signals): Promise<CliResult> {
    this.child.kill(signal);
    return this.ended;
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.ended;
  }
}
