import { rmSync } from "node:fs";
import path from "node:path";
import { type StoppedProcess, stopStack, type StopStackOptions } from "./stop-stack.ts";
import { readStackFile, stackFileName } from "./stack-file.ts";
import { partNames, storeNames } from "./versions.ts";
import { serversMax } from "./recipes/server.ts";
import { withFolderLock } from "./with-folder-lock.ts";

/**
 * Ends everything and deletes what the stack has made: by name, and only in a folder with a stack in it, so that a wrong
 * --directory costs nothing. Jars in the cache stay.
 */
export async function resetStack(options: Omit<StopStackOptions, "parts">): Promise<readonly StoppedProcess[]> {
  const { directory } = options;
  if (readStackFile(directory) === undefined) return [];
  const stopped = await stopStack({ ...options, parts: partNames });
  await withFolderLock(directory, options, () => {
    const servers = Array.from({ length: serversMax }, (_, at) => `server-${at + 1}`);
    const names = [...storeNames, "cassandra-2", "cassandra-3", ...servers, "logs", "secrets.json", stackFileName];
    for (const name of names) rmSync(path.join(directory, name), { recursive: true, force: true });
    return Promise.resolve();
  });
  return stopped;
}
