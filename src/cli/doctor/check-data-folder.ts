import { accessSync, constants, statfsSync, statSync } from "node:fs";
import path from "node:path";
import { ok, type Check, type Finding } from "./finding.ts";

const freeBytesMin = 1024 ** 3;

/** Embedded profile: everything durable is in one folder. */
export const dataFolderCheck: Check = {
  name: "data",
  run: ({ config }) => Promise.resolve([dataFolderFinding(path.resolve(config.data.directory))]),
};

export function dataFolderFinding(directory: string): Finding {
  const there = nearestExisting(directory);
  try {
    if (!statSync(there).isDirectory()) throw new Error("it is not a folder");
    accessSync(there, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    return {
      check: "data",
      state: "fail",
      message: `${directory} cannot be written (${why})`,
      fix: "Give it to the user that runs msgr, or set data.directory to another folder.",
    };
  }
  const { bavail, bsize } = statfsSync(there);
  const free = bavail * bsize;
  const message = `${directory}, ${(free / 1024 ** 3).toFixed(1)} GiB free`;
  if (free >= freeBytesMin) return ok("data", message);
  return {
    check: "data",
    state: "warn",
    message,
    fix: "Free space on that disk, or set data.directory to another one.",
  };
}

function nearestExisting(directory: string): string {
  for (let folder = directory; ; folder = path.dirname(folder)) {
    try {
      statSync(folder);
      return folder;
    } catch {
      if (folder === path.dirname(folder)) return folder;
    }
  }
}
