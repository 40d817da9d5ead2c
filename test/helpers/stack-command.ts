import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { readStackFile, type StackFile } from "../../src/stack/stack-file.ts";

/** Stores of a test file's own, started and ended as an operator would, for tests that strike or change them. */
export interface OwnStack extends AsyncDisposable {
  readonly directory: string;
  /** Runs `msgr stack WORD` on them; rejects with what it said unless it ends with `exit`. Answers what it said. */
  run(words: readonly string[], exit?: number): Promise<string>;
  /** Starts those that do not run. */
  up(): Promise<void>;
  file(): StackFile;
}

const main = path.resolve(import.meta.dirname, "../../src/cli/main.ts");
/** A start with downloads on a busy machine. */
const commandWithinMs = 240_000;

/** `enter`: words before every command. Nothing runs yet. */
export function ownStack(
  directory: string,
  stores: readonly string[],
  options: { readonly flags?: readonly string[]; readonly enter?: readonly string[] } = {},
): OwnStack {
  const { flags = [], enter = [] } = options;
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const run = async (words: readonly string[], exit = 0): Promise<string> => {
    const [command, ...rest] = [...enter, process.execPath, main, "stack", ...words, "--directory", directory];
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MSGR_")));
    const child = spawn(command, rest, {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...clean, NO_COLOR: "1", XDG_CONFIG_HOME: "/nonexistent" },
      cwd: path.dirname(directory),
      timeout: commandWithinMs,
      killSignal: "SIGKILL",
    });
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close")]);
    if (code === exit) return said;
    throw new Error(`msgr stack ${words.join(" ")} ended with ${String(code)}, not ${exit}:\n${said}`);
  };
  return {
    directory,
    run,
    async up() {
      await run(["up", "--any-port", "--only", stores.join(","), ...flags]);
    },
    file() {
      const file = readStackFile(directory);
      if (file === undefined) throw new Error(`no stack in ${directory}`);
      return file;
    },
    async [Symbol.asyncDispose]() {
      await run(["down"]);
    },
  };
}
