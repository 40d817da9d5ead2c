import { readFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { BenchResult } from "../report/result.ts";
import type { MachineLimits } from "../scenario/plan.ts";

/** What a result has to say about where it was made. */
const packageRoot = fileURLToPath(new URL("../../../", import.meta.url));
/** Where nothing tells: what most systems allow. */
const openFilesDefault = 4_096;

export function readMachineLimits(): MachineLimits {
  return { cores: Math.max(1, cpus().length), openFilesMax: openFilesMax() };
}

export function describeMachine(): BenchResult["machine"] {
  const { cores, openFilesMax: files } = readMachineLimits();
  return {
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores,
    memoryBytes: totalmem(),
    openFilesMax: files,
  };
}

export function describeVersions(): BenchResult["versions"] {
  const manifest = JSON.parse(readFileSync(path.join(packageRoot, "package.json"), "utf8")) as { version: string };
  const gitRevision = readRevision();
  return { msgr: manifest.version, node: process.version, ...(gitRevision === undefined ? {} : { gitRevision }) };
}

/** The hard limit: Node raises its own soft limit to it. */
function openFilesMax(): number {
  const text = readText("/proc/self/limits");
  const match = /^Max open files\s+\S+\s+(\d+)/m.exec(text ?? "");
  return match === null ? openFilesDefault : Number(match[1]);
}

function readRevision(): string | undefined {
  const head = readText(path.join(packageRoot, ".git", "HEAD"))?.trim();
  if (head === undefined) return undefined;
  const reference = /^ref: (.+)$/.exec(head)?.[1];
  return reference === undefined ? head : readText(path.join(packageRoot, ".git", reference))?.trim();
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
