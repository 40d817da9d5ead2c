import { readFileSync } from "node:fs";
import { CliError } from "./cli-error.ts";
import type { Command } from "./command.ts";
import { readEnvironment, wantsColor, type CliEnvironment } from "./env.ts";
import { exitCodes, type ExitReason } from "./exit-codes.ts";
import { Output } from "./output.ts";
import type { GlobalOptions, Parsed } from "./program.ts";

/**
 * From the command line to an exit code; nothing else of msgr ends the process. Commands and the parser are loaded when
 * they are needed: `msgr --version` has to be faster than a blink.
 */
function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function createOutput(globals: GlobalOptions, environment: CliEnvironment): Output {
  const { stdout, stderr } = process;
  return new Output({
    json: globals.json ?? false,
    quiet: globals.quiet ?? false,
    verbose: globals.verbose ?? false,
    stdout,
    stderr,
    stdoutColor: wantsColor(environment.variables, stdout.isTTY),
    stderrColor: wantsColor(environment.variables, stderr.isTTY),
  });
}

/** Shorter than anyone presses a key twice. */
const sameSignalMs = 150;

/**
 * The first signal asks the command to finish, the second ends it. One Ctrl-C may arrive several times: the terminal sends it to
 * every process of the line, and a launcher or npx hands on what it gets.
 */
function listenToSignals(): AbortSignal {
  const controller = new AbortController();
  let firstAtMs = 0;
  const hear = (signal: "SIGINT" | "SIGTERM") => (): void => {
    if (!controller.signal.aborted) {
      firstAtMs = performance.now();
      controller.abort(signal);
      return;
    }
    const isSame = controller.signal.reason === signal && performance.now() - firstAtMs < sameSignalMs;
    if (!isSame) process.exit(exitCodes[signal === "SIGINT" ? "interrupted" : "terminated"].code);
  };
  process.on("SIGINT", hear("SIGINT"));
  process.on("SIGTERM", hear("SIGTERM"));
  return controller.signal;
}

async function runCommand(
  command: Command,
  parsed: Parsed,
  globals: GlobalOptions,
  environment: CliEnvironment,
): Promise<ExitReason> {
  const output = createOutput(globals, environment);
  const { stdin } = process;
  const mayAsk = globals.input && stdin.isTTY && process.stderr.isTTY;
  try {
    return await command.run({ ...parsed, output, environment, mayAsk, interrupted: listenToSignals(), stdin });
  } catch (error) {
    const known = error instanceof CliError ? error : unexpected(error);
    output.fail(known, environment.variables["DEBUG"] === "msgr");
    return known.exit;
  }
}

function unexpected(error: unknown): CliError {
  const what = error instanceof Error ? error.message : String(error);
  return new CliError("failed", what, { cause: error, fix: "Run it again with DEBUG=msgr to see where it happened." });
}

async function main(argv: readonly string[]): Promise<ExitReason> {
  const environment = readEnvironment();
  if (argv.length === 1 && (argv[0] === "--version" || argv[0] === "-V")) {
    process.stdout.write(`${version()}\n`);
    return "done";
  }
  const [{ buildProgram, findEntry, isHelp, isUsage }, { registry }] = await Promise.all([
    import("./program.ts"),
    import("./registry.ts"),
  ]);
  const found = findEntry(registry, argv);
  const loaded = await found?.entry.load();
  let ran: Promise<ExitReason> | undefined;
  const sinks = {
    out: (text: string) => process.stdout.write(text),
    err: (text: string) => process.stderr.write(text),
  };
  const program = buildProgram(version(), registry, loaded, sinks, (command, parsed, globals) => {
    ran = runCommand(command, parsed, globals, environment);
  });
  try {
    program.parse(found?.argv ?? argv, { from: "user" });
  } catch (error) {
    if (isHelp(error)) return "done";
    if (isUsage(error)) return argv.length === 0 ? "done" : usage(argv, error.message);
    throw error;
  }
  return ran ?? "usage";
}

/** The parser has said on stderr what is wrong; with --json, stdout still gets a document. */
function usage(argv: readonly string[], message: string): ExitReason {
  if (argv.includes("--json")) {
    const text = message.replace(/^error: /, "");
    process.stdout.write(`${JSON.stringify({ error: { exit: exitCodes.usage.code, message: text } })}\n`);
  }
  return "usage";
}

/** Exits once stdout has taken everything; a reader that went away (`msgr … | head`) is no error. */
async function exit(name: ExitReason): Promise<never> {
  await Promise.all(
    [process.stdout, process.stderr].map(
      (stream) =>
        new Promise<void>((resolve) => (stream.writableLength === 0 ? resolve() : stream.write("", () => resolve()))),
    ),
  );
  process.exit(exitCodes[name].code);
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) =>
    process.exit(error.code === "EPIPE" ? 0 : exitCodes.failed.code),
  );
}
await exit(await main(process.argv.slice(2)));
