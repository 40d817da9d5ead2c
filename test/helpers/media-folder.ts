import { readdirSync, statSync } from "node:fs";
import path from "node:path";

/** Files of media in a data folder, by their paths below `media`: objects, parts, and what is being written. */
export function mediaFilesIn(dataDirectory: string): string[] {
  const root = `${dataDirectory}/media`;
  for (;;) {
    try {
      return readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.isFile() === true)
        .filter((file) => file !== "signing-key")
        .toSorted();
    } catch (error) {
      // The server took a folder away while it was being listed.
      if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    }
  }
}
