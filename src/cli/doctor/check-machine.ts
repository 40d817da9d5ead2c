import { readFileSync } from "node:fs";
import { ok, type Check, type Finding } from "./finding.ts";

const nodeMajorMin = 22;

export const nodeCheck: Check = {
  name: "node",
  run() {
    const major = Number.parseInt(process.versions.node, 10);
    const message = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
    const finding: Finding =
      major >= nodeMajorMin
        ? ok("node", message)
        : { check: "node", state: "fail", message, fix: "Run `npm ci` here: it brings Node 24." };
    return Promise.resolve([finding]);
  },
};

/** Files that a server needs beside one for each connection: stores, logs, listening sockets. */
const otherFilesMax = 200;

/** Each WebSocket is an open file. */
export const openFilesCheck: Check = {
  name: "open files",
  run: ({ config }) => Promise.resolve([openFilesFinding(readLimits(), config.http.connections_max)]),
};

/** `limits`: text of /proc/self/limits; undefined where there is none. */
export function openFilesFinding(limits: string | undefined, connectionsMax: number): Finding {
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(limits ?? "")?.[1];
  if (soft === undefined) return ok("open files", "not known on this system");
  const needed = connectionsMax + otherFilesMax;
  if (soft === "unlimited" || Number(soft) >= needed)
    return ok("open files", `${soft} allowed, ${needed} needed at most`);
  return {
    check: "open files",
    state: "warn",
    message: `${soft} allowed, but http.connections_max = ${connectionsMax} may need ${needed}`,
    fix: `Raise it (\`ulimit -n ${needed}\`, or LimitNOFILE= in the systemd unit), or lower http.connections_max.`,
  };
}

function readLimits(): string | undefined {
  try {
    return readFileSync("/proc/self/limits", "utf8");
  } catch {
    return undefined;
  }
}
