import { Argument, Command as Program, CommanderError, Option } from "commander";
import type { Command } from "./command.ts";
import { exitCodes } from "./exit-codes.ts";
import { groupSummaries, leadingValueFlags, type RegistryEntry } from "./registry.ts";

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

/**
 * Which command the words mean, and the words with its name in front: options may stand anywhere, also between the words
 * of the name. The longest name wins.
 */
export function findEntry(
  registry: readonly RegistryEntry[],
  argv: readonly string[],
): { readonly entry: RegistryEntry; readonly argv: readonly string[] } | undefined {
  const at = nameIndexes(argv);
  for (let length = at.length; length > 0; length--) {
    const indexes = at.slice(0, length);
    const words = indexes.map((index) => argv[index] as string);
    const entry = registry.find(({ name }) => name === words.join(" "));
    if (entry !== undefined) return { entry, argv: [...words, ...argv.filter((_, index) => !indexes.includes(index))] };
  }
  return undefined;
}

const nameWordsMax = 3;

/** Where the first words stand that could name a command: no options, no values of options. */
function nameIndexes(argv: readonly string[]): readonly number[] {
  const indexes: number[] = [];
  for (let index = 0; index < argv.length && indexes.length < nameWordsMax; index++) {
    const word = argv[index] as string;
    if (word === "--") break;
    if (leadingValueFlags.has(word)) index++;
    else if (!word.startsWith("-")) indexes.push(index);
  }
  return indexes;
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
  const programs = new Map<string, Program>([["", root]]);
  const obtain = (name: string, summary: string): Program => {
    const known = programs.get(name);
    if (known !== undefined) return known;
    const words = name.split(" ");
    const above = words.slice(0, -1).join(" ");
    const parent = obtain(above, groupSummaries[above] ?? "");
    const program = configure(parent.command(words.at(-1) as string), sinks).description(summary);
    programs.set(name, program);
    return program;
  };
  for (const entry of registry) {
    const program = obtain(entry.name, entry.summary);
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
