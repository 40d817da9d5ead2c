import { accessSync, constants } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../../bin/msgr", import.meta.url));

/**
 * What to type in another terminal, in the same folder, to run msgr: its name where it is installed for every terminal,
 * `npx msgr` in a project that depends on it, else the path of the launcher.
 */
export function ownCommand(searchPath: string, workingDirectory: string): string {
  // npm and npx put folders of their own in front for what they start; a new terminal does not have them.
  const lasting = searchPath
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder) && path.basename(folder) !== ".bin");
  if (lasting.some((folder) => isExecutable(path.join(folder, "msgr")))) return "msgr";
  if (isExecutable(path.join(workingDirectory, "node_modules", ".bin", "msgr"))) return "npx msgr";
  const fromHere = path.relative(workingDirectory, launcher);
  return fromHere.startsWith("..") ? launcher : `./${fromHere}`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
