// The gate without the tests: format, lint, types, dead code. Prints one line a step, and what a failed step said.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const { findPinnedNode, packageRoot, withPinnedNode } = createRequire(import.meta.url)("../bin/pinned-node.js");

const steps = [
  { name: "format", command: "oxfmt", args: ["--check", "."] },
  { name: "lint", command: "oxlint", args: [] },
  { name: "types", command: "tsc", args: ["--noEmit", "-p", "."] },
  { name: "dead code", command: "knip", args: ["--no-progress"] },
];
const stepTimeoutMs = 180_000;

/** The tools' own scripts say `env node`: this makes that the pinned one, whatever the machine's PATH names first. */
export function toolEnvironment() {
  const folders = [path.dirname(findPinnedNode() ?? process.execPath), path.join(packageRoot, "node_modules", ".bin")];
  return { ...process.env, PATH: [...folders, process.env.PATH ?? ""].join(path.delimiter) };
}

function run(step) {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let output = "";
    const child = spawn(step.command, step.args, {
      cwd: packageRoot,
      env: toolEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: stepTimeoutMs,
    });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    const end = (passed) => resolve({ passed, output, seconds: (performance.now() - startedAt) / 1000 });
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

/** Runs every step even when one fails, so that one look shows all there is to mend. Answers how many passed and failed. */
export async function runChecks() {
  const counts = { passed: 0, failed: 0 };
  for (const step of steps) {
    const { passed, output, seconds } = await run(step);
    process.stdout.write(`${passed ? "ok  " : "FAIL"}  ${step.name.padEnd(10)} ${seconds.toFixed(1)} s\n`);
    if (!passed) process.stdout.write(`${output.trimEnd()}\n`);
    counts[passed ? "passed" : "failed"] += 1;
  }
  return counts;
}

const file = fileURLToPath(import.meta.url);
if (process.argv[1] === file) {
  withPinnedNode(file, async () => {
    const { failed } = await runChecks();
    if (failed > 0) process.exitCode = 1;
  });
}
