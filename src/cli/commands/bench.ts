import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { StoreError } from "../../base/store-error.ts";
import { BenchError } from "../../bench/driver/bench-error.ts";
import { readMachineLimits } from "../../bench/driver/machine-facts.ts";
import { InterruptedError, type BenchReporter } from "../../bench/driver/bench-reporter.ts";
import { runBench } from "../../bench/driver/run-bench.ts";
import { runStoreBench } from "../../bench/driver/run-store-bench.ts";
import type { GivenTarget } from "../../bench/driver/target.ts";
import { progressLine } from "../../bench/report/progress.ts";
import { type BenchResult, resultSchema } from "../../bench/report/result.ts";
import { summaryText } from "../../bench/report/summary.ts";
import type { Scenario } from "../../bench/scenario/schema.ts";
import { computePlan } from "../../bench/scenario/plan.ts";
import { planText } from "../../bench/scenario/plan-text.ts";
import { fitsGivenServer, needsPrivateStack } from "../../bench/faults/needs.ts";
import { readBenchConfig, resolveAuthorities, resolveStackStores, resolveStores } from "../bench-stores.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";
import { explainStoreError } from "../explain-store-error.ts";
import { exitCodes, type ExitReason } from "../exit-codes.ts";
import type { Output } from "../output.ts";
import { readScenario, scenarioOptions, workersOf } from "../read-scenario.ts";

export const benchCommand: Command = {
  name: "bench",
  summary: "Put a server under the load of a scenario and prove that nothing was lost",
  details:
    "Starts a server of its own, unless --url names one, and load workers beside it. Every message is numbered by its\n" +
    "sender, watched on every device and looked up in the server's log afterwards. Ctrl-C ends the load and still reports.\n" +
    "With --profile cluster the server runs on the stores of `msgr stack up`, or those configured; scenarios with\n" +
    "target.mode: store speak to them without a server. What a run writes there stays there. Scenarios whose faults strike\n" +
    "stores, or want three nodes of Cassandra, start a stack of their own and remove it afterwards. With --fault a\n" +
    "scenario lasts until the fault is over.",
  arguments: [
    { name: "scenario", description: "a YAML file, or the name of a shipped one (msgr bench list)", required: true },
  ],
  options: [
    ...scenarioOptions,
    { flags: "--out <path>", description: "where the result goes: a folder, or a file that ends with .json" },
    { flags: "--keep-data", description: "leave the server's data where it is and say where that is" },
    {
      flags: "--config <file>",
      description: "where the real stores are, and tls.ca_file; read instead of ./msgr.yaml",
    },
    { flags: "--url <url>", description: "use the server at this address; needs the two below" },
    { flags: "--admin-url <url>", description: "its administrative port" },
    { flags: "--admin-token-file <file>", description: "file whose first line is its admin.token" },
    { flags: "--dry-run", description: "only say what it would do, as msgr bench plan does" },
    {
      flags: "--server-flag <flag>",
      description: "a flag for the server's Node, such as --cpu-prof",
      repeatable: true,
    },
    { flags: "--worker-flag <flag>", description: "a flag for the workers' Node", repeatable: true },
  ],
  examples: [
    { command: "msgr bench quickstart", what: "Half a minute of everything" },
    {
      command: "msgr bench direct-messages --set load.direct.in_flight=20",
      what: "The same question, with less at once",
    },
    {
      command: "msgr bench smoke --profile cluster",
      what: "On the real stores, after `msgr stack up` and `msgr migrate up`",
    },
    {
      command: "msgr bench smoke --profile cluster --servers 2 --fault 'store.kill which=redis at=5s for=1s'",
      what: "Is anything lost while Redis is killed? On stores of its own",
    },
    {
      command:
        "msgr bench smoke --profile cluster --cassandra-nodes 3 --fault 'store.kill which=cassandra-2 at=5s for=5s'",
      what: "Does one of three nodes of Cassandra matter?",
    },
    { command: "msgr bench store-ceilings --op append", what: "Our adapter beside the bare driver, without a server" },
    { command: "msgr bench my.yaml --out results/ --json > result.json", what: "For scripts" },
  ],
  output: { schema: resultSchema, lines: false },
  exits: [
    "configuration",
    "unreachable",
    "finding",
    "locked",
    "threshold",
    "invalid_run",
    "incorrect",
    "interrupted",
    "terminated",
  ],
  run: bench,
};

async function bench(invocation: Invocation): Promise<ExitReason> {
  const { options, output, environment, interrupted } = invocation;
  const scenario = readScenario(invocation);
  if (options["dryRun"] === true) {
    const plan = computePlan(scenario, readMachineLimits(), workersOf(options));
    output.data(plan, () => planText(plan).trimEnd());
    return "done";
  }
  const target = givenTarget(invocation, scenario);
  const isOnStores = scenario.target.mode === "store" || scenario.target.profile === "cluster";
  const needsStores = target === undefined && isOnStores && !needsPrivateStack(scenario);
  const config = needsStores || target !== undefined ? readBenchConfig(invocation) : undefined;
  const place = resultPlace(options["out"], environment.workingDirectory);
  const keepData = options["keepData"] === true;
  const reporter = createReporter(output);
  let result: BenchResult;
  try {
    const run = scenario.target.mode === "store" ? runStoreBench : runBench;
    result = await run({
      scenario,
      workers: workersOf(options),
      target,
      stores: needsStores && config !== undefined ? resolveStores(config, environment) : undefined,
      authorities: config === undefined ? [] : resolveAuthorities(config, environment),
      storesOf: (folder) => resolveStackStores(folder, environment),
      dataParents: [tmpdir(), environment.workingDirectory],
      keepData,
      environment: environment.variables,
      serverFlags: (options["serverFlag"] ?? []) as string[],
      workerFlags: (options["workerFlag"] ?? []) as string[],
      interrupted,
      reporter,
    });
  } catch (error) {
    reporter.clear();
    if (error instanceof InterruptedError) return signalReason(interrupted);
    if (error instanceof StoreError) throw explainStoreError(error);
    if (error instanceof BenchError) {
      const fix = error.fix === undefined ? {} : { fix: error.fix };
      throw new CliError(error.reason, error.message, { ...fix, cause: error });
    }
    throw error;
  }
  reporter.clear();
  report(result, place.write(result), output);
  return result.interrupted && result.exitCode === exitCodes.interrupted.code
    ? signalReason(interrupted)
    : reasonOf(result.exitCode);
}

function report(result: BenchResult, resultFile: string, output: Output): void {
  const text = (colour: boolean): string => summaryText(result, { colour, resultFile }).trimEnd();
  output.data(result, () => text(output.styleData("bold", "") !== ""));
  if (output.json) output.talk(text(output.style("bold", "") !== ""));
}

function signalReason(interrupted: AbortSignal): ExitReason {
  return interrupted.reason === "SIGTERM" ? "terminated" : "interrupted";
}

function reasonOf(code: number): ExitReason {
  const names = Object.keys(exitCodes) as ExitReason[];
  return names.find((name) => exitCodes[name].code === code) ?? "failed";
}

/** Progress in place on a terminal, in lines elsewhere. */
function createReporter(output: Output): BenchReporter & { clear(): void } {
  const live = output.stderrIsTerminal && !output.quiet;
  const colour = output.style("bold", "") !== "";
  let last = "";
  const show = (text: string): void => {
    if (live) output.talkSink.write(`\r\u001b[2K${text}`);
    else output.talk(text);
  };
  const clear = (): void => {
    if (live) output.talkSink.write("\r\u001b[2K");
  };
  return {
    clear,
    stage(text) {
      // A count that goes up is news on a terminal only.
      const kind = text.split(":", 1)[0] ?? text;
      if (live || kind !== last) show(live ? output.style("dim", text) : kind);
      last = kind;
    },
    progress: (progress) => show(progressLine(progress, colour)),
    warn(text) {
      clear();
      output.warn(text);
    },
    note(text) {
      clear();
      output.talk(text);
    },
  };
}

interface ResultPlace {
  /** Answers where it is. */
  write(result: BenchResult): string;
}

/** Made before the run: a place that cannot be written to must not be found out after it. */
function resultPlace(out: Invocation["options"][string], workingDirectory: string): ResultPlace {
  const asked = typeof out === "string" ? path.resolve(workingDirectory, out) : undefined;
  const isFile = asked?.endsWith(".json") === true;
  const folders =
    asked === undefined
      ? [path.join(workingDirectory, "results"), path.join(tmpdir(), "msgr-results")]
      : [isFile ? path.dirname(asked) : asked];
  for (const folder of folders) {
    try {
      mkdirSync(folder, { recursive: true });
      const probe = path.join(folder, `.probe-${process.pid}`);
      writeFileSync(probe, "", { flag: "w" });
      rmSync(probe);
    } catch {
      continue;
    }
    return {
      write(result) {
        const file = isFile ? asked : path.join(folder, `${result.id}.json`);
        writeFileSync(file, `${JSON.stringify(result)}\n`);
        return file;
      },
    };
  }
  const fix = "Give --out a folder that can be written to.";
  throw new CliError("usage", `No result can be written to ${folders.join(" or ")}.`, { fix });
}

function givenTarget({ options, environment }: Invocation, scenario: Scenario): GivenTarget | undefined {
  const { url, adminUrl, adminTokenFile } = options;
  if (url === undefined && adminUrl === undefined && adminTokenFile === undefined) return undefined;
  if (typeof url !== "string" || typeof adminUrl !== "string" || typeof adminTokenFile !== "string") {
    const fix = "Give all three: users are made through the administrative port.";
    throw new CliError("usage", "--url, --admin-url and --admin-token-file belong together.", { fix });
  }
  if (options["profile"] !== undefined || scenario.target.mode === "store") {
    const what =
      options["profile"] === undefined ? "a scenario on the stores has no server" : "it has its profile already";
    throw new CliError("usage", `--url names a server that runs: ${what}.`, { fix: "Leave one of the two out." });
  }
  if (!fitsGivenServer(scenario)) {
    const hasNodes = scenario.target.cassandra_nodes > 1;
    const what = hasNodes
      ? "Three nodes of Cassandra are those of a run's own servers."
      : "The faults of this scenario strike servers and stores that the run must own.";
    const keep = hasNodes ? "one node (target.cassandra_nodes)" : "faults of the kind proxy.* on clients only";
    throw new CliError("usage", what, { fix: `Leave --url out, or keep ${keep}.` });
  }
  for (const address of [url, adminUrl]) {
    if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
      throw new CliError("usage", `${address} is no http address.`, { fix: "Write it as http://host:port." });
    }
  }
  if (url.startsWith("https:") && scenario.faults.length > 0) {
    const what = "No proxy can stand before clients that speak TLS: its certificate names another host.";
    throw new CliError("usage", what, {
      fix: "Give --url the address of a server without TLS, or leave the faults out.",
    });
  }
  const file = path.resolve(environment.workingDirectory, adminTokenFile);
  try {
    return { url, adminUrl, adminToken: (readFileSync(file, "utf8").split("\n")[0] ?? "").trim() };
  } catch (cause) {
    throw new CliError("usage", `${adminTokenFile} cannot be read.`, { fix: "Correct --admin-token-file.", cause });
  }
}
