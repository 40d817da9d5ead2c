// `npm test`: the checks, then every test project; ends with the line `N passed, N failed`.
// `npm test -- src/core` runs only the tests of those paths (no checks), on the pinned Node.
// Real stores are started for the run. What cannot be started is said, a line each; with MSGR_TEST_REQUIRE_STORES=1 it
// counts as failed. MSGR_TEST_STACK=<folder> uses a stack that runs already.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { packageRoot, withPinnedNode } = createRequire(import.meta.url)("../bin/pinned-node.js");

/** Counts tests by project; a file that could not be loaded, or an error outside of any test, is a failure too. */
function countTests(vitest, projectNames) {
  const counts = new Map(projectNames.map((name) => [name, { passed: 0, failed: 0, skipped: 0 }]));
  for (const module of vitest.state.getTestModules()) {
    const count = counts.get(module.project.name);
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test that never came to an end was not passed.
      count[state === "pending" ? "failed" : state] += 1;
    }
    if (module.errors().length > 0) count.failed += 1;
    for (const suite of module.children.allSuites()) if (suite.errors().length > 0) count.failed += 1;
  }
  return counts;
}

const progressIntervalMs = 15_000;

/** A sign of life now and then; the reporter beside it speaks of failures only. */
function progressReporter() {
  let lastAt = performance.now();
  let modules = 0;
  let tests = 0;
  return {
    onTestModuleEnd(module) {
      modules += 1;
      tests += [...module.children.allTests()].length;
      if (performance.now() - lastAt < progressIntervalMs) return;
      lastAt = performance.now();
      process.stdout.write(`  …   ${tests} tests of ${modules} files done\n`);
    },
  };
}

/** Runs vitest in this process, because only its state tells the counts without parsing what it prints. */
async function runTests(filters) {
  const { startVitest } = await import("vitest/node");
  const vitest = await startVitest("test", filters, {
    root: packageRoot,
    watch: false,
    reporters: ["minimal", progressReporter()],
  });
  const counts = countTests(
    vitest,
    vitest.projects.map((project) => project.name),
  );
  const unhandled = vitest.state.getUnhandledErrors().length;
  await vitest.close();
  return { counts, unhandled };
}

/** `signal`: that of an interrupted run; then this process ends here. */
async function endRun(stores, runFolder, signal) {
  const exit = process.exit.bind(process);
  if (signal !== undefined) {
    // Vitest hears of the signal as well, and would end this process a moment later, with the stores running on.
    process.exit = () => {};
    process.stderr.write(`${signal}: ending what this run has started\n`);
    runFolder.endProcesses(stores?.directory);
  }
  // Where stores could not be ended by asking, their folder is what one has to look at.
  if ((await stores?.stop()) !== false) await runFolder.close();
  if (signal !== undefined) exit(signal === "SIGINT" ? 130 : 143);
}

/** Answers what the tests came to, and what was left out. */
async function runTestsOnStores(filters) {
  const { needsStores, TestStores } = await import("./test-stores.mjs");
  const { openRunFolder } = await import("./run-folder.mjs");
  const runFolder = openRunFolder();
  const stores = needsStores(filters) ? new TestStores(packageRoot, runFolder.folder) : undefined;
  let ended;
  // Stores outlive the terminal they were started from: an interrupted run ends them too. That a launcher hands the same
  // signal on once more changes nothing.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => (ended ??= endRun(stores, runFolder, signal)));
  }
  try {
    await stores?.start();
    const result = ended === undefined ? await runTests(filters) : { counts: new Map(), unhandled: 0 };
    return { ...result, leftOut: stores?.leftOut ?? [], storesFailed: stores?.failed ?? 0 };
  } finally {
    await (ended ??= endRun(stores, runFolder));
  }
}

async function main() {
  const filters = process.argv.slice(2);
  let { passed, failed } = { passed: 0, failed: 0 };
  if (filters.length === 0) {
    const { runChecks } = await import("./check.mjs");
    ({ passed, failed } = await runChecks());
  }
  const { counts, unhandled, leftOut, storesFailed } = await runTestsOnStores(filters);
  for (const [name, count] of counts) {
    if (filters.length > 0 && count.passed + count.failed + count.skipped === 0) continue;
    // A project without a single test is a gate left open, unless somebody asked for a part only.
    const isEmpty = filters.length === 0 && count.passed + count.failed === 0;
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    const remark = isEmpty ? " (a project must have tests)" : "";
    process.stdout.write(`${name.padEnd(12)} ${count.passed} passed, ${count.failed} failed${skipped}${remark}\n`);
    passed += count.passed;
    failed += count.failed + (isEmpty ? 1 : 0);
  }
  for (const line of leftOut) process.stdout.write(`${line}\n`);
  // Where every store has to be there, what was left out was not tested.
  if (process.env.MSGR_TEST_REQUIRE_STORES === "1") failed += leftOut.length;
  failed += unhandled + storesFailed;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  // Whatever else happens while the process winds down, a failure stays one.
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}

withPinnedNode(fileURLToPath(import.meta.url), main);
