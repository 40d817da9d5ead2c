import { readdirSync } from "node:fs";
import path from "node:path";

export interface StackLog {
  /** Name of the process. */
  readonly name: string;
  readonly file: string;
}

/** Logs of everything that was ever started in the folder, also of what is stopped. */
export function knownLogs(directory: string): readonly StackLog[] {
  const folder = path.join(directory, "logs");
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith(".log"))
    .sort()
    .map((name) => ({ name: path.basename(name, ".log"), file: path.join(folder, name) }));
}
