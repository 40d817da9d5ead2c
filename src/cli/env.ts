import { homedir } from "node:os";
import path from "node:path";
import { ownCommand } from "./own-command.ts";

/** What commands know of the process around them. This file alone reads the environment. */
export interface CliEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** What to type to run msgr again from here: `msgr`, or where it is. Looks at the disk. */
  readonly program: string;
  /** Folders of this user for msgr, after the XDG base directory specification. They may not exist. */
  readonly folders: { readonly config: string; readonly state: string; readonly cache: string };
}

export function readEnvironment(): CliEnvironment {
  const variables = process.env;
  const home = variables["HOME"] ?? homedir();
  const folder = (name: string, fallback: string): string => {
    const given = variables[name];
    // The specification says to ignore relative paths.
    return path.join(given !== undefined && path.isAbsolute(given) ? given : path.join(home, fallback), "msgr");
  };
  return {
    variables,
    workingDirectory: process.cwd(),
    get program() {
      return ownCommand(variables["PATH"] ?? "", process.cwd());
    },
    folders: {
      config: folder("XDG_CONFIG_HOME", ".config"),
      state: folder("XDG_STATE_HOME", ".local/state"),
      cache: folder("XDG_CACHE_HOME", ".cache"),
    },
  };
}

/** https://no-color.org, and terminals that say that they cannot. */
export function wantsColor(variables: CliEnvironment["variables"], isTty: boolean): boolean {
  if ((variables["NO_COLOR"] ?? "") !== "" || variables["TERM"] === "dumb") return false;
  return isTty || (variables["FORCE_COLOR"] ?? "") !== "";
}
