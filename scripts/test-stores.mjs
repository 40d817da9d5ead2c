// The real stores that the tests run on: started once for a test run, in a folder of its own, and ended with it.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Started one by one in a message; PostgreSQL comes with the dependencies, the others need programs of the machine. */
const stores = ["postgres", "redis", "cassandra", "s3", "kafka"];

/** Paths whose tests touch no store. */
const storeless = /^(?:src|test\/(?:sim|tidy|helpers))(?:\/|\.|$)/;

export const needsStores = (filters) => filters.length === 0 || filters.some((filter) => !storeless.test(filter));

async function findMissing() {
  const [{ findPrerequisites }, { StackError }] = await Promise.all([
    import("../src/stack/prerequisites/find-prerequisites.ts"),
    import("../src/stack/stack-error.ts"),
  ]);
  const missing = new Map();
  for (const store of stores) {
    try {
      await findPrerequisites([store], true, process.env);
    } catch (error) {
      if (!(error instanceof StackError)) throw error;
      missing.set(store, error);
    }
  }
  return missing;
}

/** Runs `msgr`; resolves with its exit code and what it said. */
function msgr(packageRoot, args) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const child = spawn(process.execPath, [path.join(packageRoot, "bin", "msgr"), ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said = [];
  child.stderr.on("data", (chunk) => said.push(chunk));
  child.on("error", reject);
  child.on("close", (code) => resolve({ code, said: Buffer.concat(said).toString() }));
  return promise;
}

/**
 * Starts what can be started, or uses the stack that MSGR_TEST_STACK names. `leftOut`: lines about what cannot; `failed`:
 * what could have been started and was not. `stop` ends what was started here.
 */
export async function startTestStores(packageRoot) {
  if (process.env.MSGR_TEST_STACK !== undefined) {
    process.stdout.write(`stores       those of MSGR_TEST_STACK\n`);
    return { leftOut: [], failed: 0, stop: async () => {} };
  }
  const startedAt = performance.now();
  const missing = await findMissing();
  const only = stores.filter((store) => !missing.has(store)).join(",");
  const directory = await mkdtemp(path.join(tmpdir(), "msgr-test-stores-"));
  const place = ["--directory", directory];
  const stop = async () => {
    const { code, said } = await msgr(packageRoot, ["stack", "down", ...place]);
    if (code === 0) await rm(directory, { recursive: true, force: true });
    else process.stderr.write(`the stores of this test run could not be ended; they are in ${directory}\n${said}`);
  };
  const { code, said } = await msgr(packageRoot, ["stack", "up", ...place, "--any-port", "--only", only]);
  const leftOut = [...missing].map(([store, error]) => `left out     suites on ${store}: ${oneLine(error)}`);
  if (code !== 0) {
    process.stderr.write(said);
    await stop();
    return { leftOut, failed: 1, stop: async () => {} };
  }
  process.env.MSGR_TEST_STACK = directory;
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  process.stdout.write(`stores       ${only} ready after ${seconds} s\n`);
  return { leftOut, failed: 0, stop };
}

function oneLine({ message, fix }) {
  const [, debian = ""] = /Debian, Ubuntu: ([^\n]+)/.exec(fix) ?? [];
  return `${message} ${debian === "" ? "" : `(Debian: ${debian})`}`;
}
