import { Argument, Command as Program, CommanderError, Option } from "commander";
import type { Command } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { groupSummaries, type RegistryEntry } from "./registry.ts";

/** What the parser made of the command line: which command, and the words for it. */
export interface Parsed {
  readonly arguments: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly options: Readonly<Record<string, string | readonly string[] | boolean | undefined>>;
}

export interface ProgramSinks {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly input: boolean;
}

/** The words of the command line that name a command: global options take no value, so the first words are it. */
export function findEntry(registry: readonly RegistryEntry[], argv: readonly string[]): RegistryEntry | undefined {
  const words = argv.filter((word) => !word.startsWith("-"));
  const [first = "", second = ""] = words[0] === "help" ? words.slice(1) : words;
  return (
    registry.find((entry) => entry.name === `${first} ${second}`) ?? registry.find((entry) => entry.name === first)
  );
}

/**
 * The parser of the whole command line. Every command is there by name; only `loaded` has its arguments and options.
 * `run` gets what was parsed for it.
 */
export function buildProgram(
  version: string,
  registry: readonly RegistryEntry[],
  loaded: Command | undefined,
  sinks: ProgramSinks,
  run: (command: Command, parsed: Parsed, globals: GlobalOptions) => void,
): Program {
  const root = configure(new Program("msgr"), sinks)
    .description("A messenger: server, terminal client and load harness")
    .version(version, "-V, --version", "print the version")
    .addOption(new Option("--json", "print data as JSON on stdout"))
    .addOption(new Option("-q, --quiet", "say nothing but data and errors"))
    .addOption(new Option("-v, --verbose", "say more"))
    .addOption(new Option("--no-input", "never ask a question"))
    .showHelpAfterError("(msgr --help shows every command)");
  const groups = new Map<string, Program>();
  for (const entry of registry) {
    const [first = "", second] = entry.name.split(" ");
    if (second === undefined) {
      const program = configure(root.command(first), sinks).description(entry.summary);
      groups.set(first, program);
      if (loaded?.name === entry.name) describe(program, loaded, root, run);
      continue;
    }
    let group = groups.get(first);
    if (group === undefined) {
      group = configure(root.command(first), sinks).description(groupSummaries[first] ?? "");
      groups.set(first, group);
    }
    const program = configure(group.command(second), sinks).description(entry.summary);
    if (loaded?.name === entry.name) describe(program, loaded, root, run);
  }
  return root;
}

function configure(program: Program, sinks: ProgramSinks): Program {
  return program
    .exitOverride()
    .configureOutput({ writeOut: sinks.out, writeErr: sinks.err })
    .helpOption("-h, --help", "show help")
    .helpCommand(false);
}

function describe(
  program: Program,
  command: Command,
  root: Program,
  run: (command: Command, parsed: Parsed, globals: GlobalOptions) => void,
): void {
  for (const { name, description, required, variadic } of command.arguments ?? []) {
    const dots = variadic === true ? "..." : "";
    program.addArgument(new Argument(required ? `<${name}${dots}>` : `[${name}${dots}]`, description));
  }
  for (const { flags, description, choices, repeatable } of command.options ?? []) {
    const option = new Option(flags, description);
    if (choices !== undefined) option.choices(choices);
    if (repeatable === true)
      option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    program.addOption(option);
  }
  if (command.details !== undefined) program.description(`${command.summary}.\n\n${command.details}`);
  program.addHelpText("after", () => helpTail(command));
  program.action(() => {
    const names = (command.arguments ?? []).map((argument) => argument.name);
    const values = program.processedArgs as (string | string[] | undefined)[];
    const given = Object.fromEntries(names.map((name, at) => [name, values[at]]));
    run(command, { arguments: given, options: program.opts() }, root.opts());
  });
}

/** Examples and exit codes, below the options of a command's help. */
function helpTail(command: Command): string {
  const examples = command.examples.map(({ command: line, what }) => `  ${line}\n      ${what}`);
  const exits = (["done", "failed", "usage", ...command.exits] as const)
    .map((name) => exitCodes[name])
    .map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`);
  return ["", "Examples:", ...examples, "", "Exit codes:", ...exits].join("\n");
}

/** Whether commander ended because it showed help or the version, which is success. */
export function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

export function isUsage(error: unknown): error is CommanderError {
  return error instanceof CommanderError;
}
