import { readdirSync, rmSync } from "node:fs";
import path from "node:path";

/**
 * Where the data of a store is prepared, to be renamed to `data` when it is whole. The name is this process's own: a
 * program that outlived an earlier one that was killed goes on elsewhere. What such ones left is removed.
 */
export function freshFolder(folder: string): string {
  const prefix = "data.new-";
  for (const name of readdirSync(folder)) {
    if (name.startsWith(prefix)) rmSync(path.join(folder, name), { recursive: true, force: true });
  }
  return path.join(folder, `${prefix}${process.pid}`);
}
