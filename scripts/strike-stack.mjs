// Kills each process of a running `msgr stack up --servers N` in turn while scenarios run through its load balancer:
//   node scripts/strike-stack.mjs [--directory DIR] [--which nginx,server-1,…] [--scenarios smoke,…]
// What was killed is started again by `msgr stack up`, as its operator would. Prints a line for each run and ends with 1
// if any of them was not clean. Thresholds are left out, as by `--fault`: they are for runs in which nothing breaks.
import { spawn, execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";

const { packageRoot } = createRequire(import.meta.url)("../bin/pinned-node.js");
const msgr = path.join(packageRoot, "bin", "msgr");
const { values } = parseArgs({
  options: { directory: { type: "string" }, which: { type: "string" }, scenarios: { type: "string" } },
});
const place = values.directory === undefined ? [] : ["--directory", values.directory];

/** Long enough for the slowest store to be back, and for what follows that. */
const scenarios = {
  smoke: ["phases.1.duration=45s"],
  "group-fanout": ["phases.2.duration=45s"],
  "offline-sync": ["phases.2.duration=45s"],
};
const calm = "limits={generator_cpu: 100%, event_loop_lag_p99: 1m, start_lag_p99: 1m, achieved_rate: 0%}";
const warmMs = 8_000;
const downMs = 1_000;

async function stack(command, ...words) {
  const { stdout } = await promisify(execFile)(msgr, ["stack", command, ...place, ...words]);
  return stdout;
}

async function status() {
  return JSON.parse(await stack("status", "--json"));
}

/** Another server's administrative port than that of the one which is struck. */
function administration(directory, struck) {
  const number = struck === "server-1" ? 2 : 1;
  const { ports } = JSON.parse(readFileSync(path.join(directory, "stack.json"), "utf8"));
  return [
    ["--admin-url", `http://127.0.0.1:${ports[`server.${number}-admin`]}`],
    ["--admin-token-file", path.join(directory, `server-${number}`, "admin-token")],
  ].flat();
}

/** With its children: workers of nginx and backends of PostgreSQL go on for a while without their parent. */
async function killTree(pid) {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid="]);
  const pairs = stdout.trim().split("\n");
  const children = pairs.map((line) => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid);
  for (const each of [pid, ...children.map(([child]) => child)]) process.kill(each, "SIGKILL");
}

/** Strikes once the load runs. Resolves with the exit code of the run and when the killed process was whole again. */
async function strike(directory, running, name, results) {
  const nginx = running.find((process) => process.name === "nginx");
  const struck = running.find((process) => process.name === name);
  const words = ["bench", results.scenario, "--url", `http://${nginx.address}`];
  const changes = [...scenarios[results.scenario], calm, "thresholds=[]"].flatMap((change) => ["--set", change]);
  const out = ["--out", path.join(results.folder, `${results.scenario}-${name}.json`)];
  const bench = spawn(msgr, [...words, ...administration(directory, name), ...changes, ...out], {
    env: { ...process.env, MSGR_STACK__DIRECTORY: directory },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => bench.once("exit", (code, signal) => resolve(code ?? signal)));
  let said = "";
  const loaded = new Promise((resolve) => {
    bench.stderr.on("data", (text) => {
      said += text;
      if (/^\d+s\/\S+\s/m.test(said)) resolve(true);
    });
    void ended.then(() => resolve(false));
  });
  let backAfterMs;
  if (await loaded) {
    await sleep(warmMs);
    await killTree(struck.pid);
    const since = Date.now();
    await sleep(downMs);
    await stack("up");
    backAfterMs = Date.now() - since;
  }
  writeFileSync(path.join(results.folder, `${results.scenario}-${name}.log`), said);
  return { exit: await ended, backAfterMs };
}

const { directory, processes: first } = await status();
if (!first.some(({ name }) => name === "nginx") || !first.some(({ name }) => name === "server-2")) {
  throw new Error("No nginx with two servers behind it: run `msgr stack up --servers 2`.");
}
const folder = mkdtempSync(path.join(tmpdir(), "msgr-struck-"));
const names = values.which?.split(",") ?? first.map(({ name }) => name);
const asked = values.scenarios?.split(",") ?? Object.keys(scenarios);
let failures = 0;
for (const scenario of asked) {
  for (const name of names) {
    const { processes: running } = await status();
    const { exit, backAfterMs } = await strike(directory, running, name, { scenario, folder });
    if (exit !== 0) failures++;
    const back = backAfterMs === undefined ? "never struck" : `back after ${(backAfterMs / 1000).toFixed(1)} s`;
    console.log(`${scenario.padEnd(12)}  ${name.padEnd(10)}  ${exit === 0 ? "clean" : `exit ${exit}`}, ${back}`);
  }
}
console.log(`${names.length * asked.length - failures} clean, ${failures} not; logs and results in ${folder}`);
process.exitCode = failures === 0 ? 0 : 1;
