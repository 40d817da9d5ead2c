import { mkdirSync, statSync } from "node:fs";
import path from "node:path";

/**
 * Makes a folder and those above it. Not by the `recursive` of Node's mkdir: that one never ends where a folder exists
 * but takes no entries, as in /proc.
 */
export function makeFolder(folder: string, mode: number): void {
  try {
    mkdirSync(folder, mode);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST" && statSync(folder).isDirectory()) return;
    const above = path.dirname(folder);
    if (code !== "ENOENT" || isFolder(above) || above === folder) throw error;
    makeFolder(above, mode);
    makeFolder(folder, mode);
  }
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}
