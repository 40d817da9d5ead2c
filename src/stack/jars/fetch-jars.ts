import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { lockFolder } from "../files/folder-lock.ts";
import { makeFolder } from "../files/make-folder.ts";
import { runTool } from "../processes/run-tool.ts";
import { folderError, StackError } from "../stack-error.ts";
import { dependencyPluginVersion } from "../versions.ts";
import { isWhole, jarsIn, removeUnfinished, unfinishedName, writeJarList } from "./jar-folder.ts";
import { mavenError } from "./maven-error.ts";
import { jarFolderName, type JarStore, pomOf } from "./pom.ts";

export interface FetchOptions {
  /** Folder of msgr in the user's cache. */
  readonly cache: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
}

/** A slow line needs a while for 66 MB; nobody waits longer than this for one store. */
const fetchWithinMs = 15 * 60_000;

export function jarFolder(cache: string, store: JarStore): string {
  return path.join(cache, "jars", jarFolderName(store));
}

/**
 * Sees to it that the jars of a store are in the cache; answers their folder. They arrive in a folder with another name,
 * which gets the right one at the end, so that a killed download is never taken for a whole one. One process downloads
 * at a time, for Maven's own folder takes no two writers.
 */
export async function fetchJars(store: JarStore, options: FetchOptions): Promise<string> {
  const folder = jarFolder(options.cache, store);
  if (isWhole(folder)) return folder;
  const cache = path.dirname(folder);
  try {
    makeFolder(cache, 0o755);
    const lock = await lockFolder(cache, {
      waitMs: fetchWithinMs,
      sleep: options.sleep,
      signal: options.signal,
      onWait: () => options.onProgress("another download is under way: waiting for it"),
    });
    if ("holder" in lock) {
      const fix = "Wait for it to end, then run `msgr stack up` again.";
      throw new StackError("locked", `Process ${lock.holder.pid} downloads into ${cache}.`, fix);
    }
    try {
      if (!isWhole(folder)) await download(store, folder, options);
    } finally {
      lock.release();
    }
  } catch (error) {
    throw folderError(error, cache);
  }
  return folder;
}

async function download(store: JarStore, folder: string, options: FetchOptions): Promise<void> {
  const cache = path.dirname(folder);
  removeUnfinished(cache);
  const fresh = path.join(cache, unfinishedName(path.basename(folder)));
  mkdirSync(fresh);
  const pom = path.join(fresh, "pom.xml");
  writeFileSync(pom, pomOf(store));
  let downloads = 0;
  options.onProgress("asking Maven for the jars");
  const result = await runTool("mvn", mavenArguments(pom, fresh), {
    environment: options.variables,
    timeoutMs: fetchWithinMs,
    signal: options.signal,
    onLine(line) {
      if (/Downloaded from .*\.jar/.test(line)) options.onProgress(`downloading jars: ${++downloads}`);
    },
  });
  if (options.signal.aborted)
    throw new StackError("failed", "The download was interrupted.", "Run `msgr stack up` again.");
  if (result.code !== 0 || jarsIn(fresh).length === 0) {
    rmSync(fresh, { recursive: true, force: true });
    throw mavenError(store, result.said, cache);
  }
  writeJarList(fresh);
  // A folder that was damaged may be in the way; running programs keep the files they have open.
  rmSync(folder, { recursive: true, force: true });
  renameSync(fresh, folder);
}

export function mavenArguments(pom: string, into: string): readonly string[] {
  return [
    "--batch-mode",
    "--file",
    pom,
    `org.apache.maven.plugins:maven-dependency-plugin:${dependencyPluginVersion}:copy-dependencies`,
    `-DoutputDirectory=${into}`,
    "-DincludeScope=runtime",
  ];
}
