import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

/** The list of what a whole folder holds. It is written last. */
const listName = "jars.json";

/** Lists the jars of a folder that is complete. */
export function writeJarList(folder: string): void {
  const sizes = Object.fromEntries(jarsIn(folder).map((name) => [name, statSync(path.join(folder, name)).size]));
  writeFileSync(path.join(folder, listName), JSON.stringify(sizes));
}

/** Whether every jar is there with the size it had: somebody may have tidied the cache up. */
export function isWhole(folder: string): boolean {
  try {
    const sizes = JSON.parse(readFileSync(path.join(folder, listName), "utf8")) as Record<string, number>;
    const names = Object.entries(sizes);
    return names.length > 0 && names.every(([name, size]) => statSync(path.join(folder, name)).size === size);
  } catch {
    return false;
  }
}

export function jarsIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.endsWith(".jar"));
}

const unfinished = /^\.unfinished-/;

/** Of this process alone: a Maven that outlived the one that started it writes to another folder. */
export function unfinishedName(name: string): string {
  return `.unfinished-${name}-${process.pid}`;
}

/** What a killed download left. Call it with the lock of the cache held: then nobody is at work. */
export function removeUnfinished(cache: string): void {
  for (const name of readdirSync(cache)) {
    if (unfinished.test(name)) rmSync(path.join(cache, name), { recursive: true, force: true });
  }
}
