// The real stores that the tests run on: started once for a test run, in a folder of its own, and ended with it.
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
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

/**
 * The stores of a test run, in the run's folder, or the stack that MSGR_TEST_STACK names. `leftOut`: lines about what cannot
 * be started here; `failed`: how many could have been and were not.
 */
export class TestStores {
  directory;
  leftOut = [];
  failed = 0;
  #packageRoot;
  /** The command that is at work on them. */
  #running;
  #isStopping = false;
  #stopped;

  constructor(packageRoot, folder) {
    this.#packageRoot = packageRoot;
    this.directory = path.join(folder, "stores");
    mkdirSync(this.directory);
  }

  /** Resolves when they can be used, or when it is known that they cannot. */
  async start() {
    if (process.env.MSGR_TEST_STACK !== undefined) {
      process.stdout.write(`stores       those of MSGR_TEST_STACK\n`);
      this.#stopped = Promise.resolve(true);
      return;
    }
    const startedAt = performance.now();
    const missing = await findMissing();
    const only = stores.filter((store) => !missing.has(store)).join(",");
    this.leftOut = [...missing].map(([store, error]) => `left out     suites on ${store}: ${oneLine(error)}`);
    if (this.#isStopping) return;
    const { code, said } = await this.#msgr(["stack", "up", "--any-port", "--only", only]);
    if (code !== 0) {
      process.stderr.write(said);
      this.failed = 1;
      await this.stop();
      return;
    }
    process.env.MSGR_TEST_STACK = this.directory;
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
    process.stdout.write(`stores       ${only} ready after ${seconds} s\n`);
  }

  /** Ends what was started, also while it starts. Resolves with whether that went well. Idempotent. */
  stop() {
    this.#isStopping = true;
    return (this.#stopped ??= this.#stop());
  }

  async #stop() {
    // Asked to, a start stops what it has started so far.
    this.#running?.child.kill("SIGTERM");
    await this.#running?.ended;
    if (readdirSync(this.directory).length === 0) return true;
    const { code, said } = await this.#msgr(["stack", "down"]);
    if (code !== 0) process.stderr.write(`the stores of this test run could not be ended by asking:\n${said}`);
    return code === 0;
  }

  /** Runs `msgr` on them; resolves with its exit code and what it said. */
  #msgr(words) {
    const all = [path.join(this.#packageRoot, "bin", "msgr"), ...words, "--directory", this.directory];
    // A group of its own: Ctrl-C is for this process, which then says what is to be done.
    const stdio = ["ignore", "ignore", "pipe"];
    const child = spawn(process.execPath, all, { stdio, cwd: this.directory, detached: true });
    const { promise: ended, resolve } = Promise.withResolvers();
    const said = [];
    child.stderr.on("data", (chunk) => said.push(chunk));
    child.on("error", (error) => resolve({ code: null, said: error.message }));
    child.on("close", (code) => resolve({ code, said: Buffer.concat(said).toString() }));
    this.#running = { child, ended };
    return ended;
  }
}

function oneLine({ message, fix }) {
  const [, debian = ""] = /Debian, Ubuntu: ([^\n]+)/.exec(fix) ?? [];
  return `${message} ${debian === "" ? "" : `(Debian: ${debian})`}`;
}
