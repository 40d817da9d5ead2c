import { randomInt } from "node:crypto";
import { closeStoreAccounts } from "../ledger/store-account.ts";
import { formatCount } from "../report/format.ts";
import type { BenchResult } from "../report/result.ts";
import { computePlan } from "../scenario/plan.ts";
import type { Workload } from "../scenario/schema.ts";
import { monotonicMs } from "../worker/monotonic.ts";
import type { StoreFact } from "../workloads/store-facts.ts";
import { assembleResult } from "./assemble-result.ts";
import { BenchError } from "./bench-error.ts";
import { readMachineLimits } from "./machine-facts.ts";
import type { BenchOptions } from "./run-bench.ts";
import { StoreMonitor } from "./store-monitor.ts";
import { WorkerPool } from "./worker-pool.ts";

/**
 * One run of a scenario on the stores, without a server:
 *
 *   stores asked who they are → workers connect → history → load → drain → workers read back what was acked → verdict
 *
 * However it ends, no process of it is left. What it wrote stays in the stores. Throws StoreError when a store will not do.
 */
const prepareSlackMs = 120_000;
const historyRowsPerSecond = 500;

export async function runStoreBench(options: BenchOptions): Promise<BenchResult> {
  const { scenario, interrupted, reporter, workerFlags, authorities } = options;
  const { stores } = options;
  if (stores === undefined) throw new BenchError("usage", "A scenario on the stores needs to know where they are.");
  const startedAt = new Date();
  const startMs = monotonicMs();
  const plan = computePlan(scenario, readMachineLimits(), options.workers);
  for (const warning of plan.warnings) reporter.warn(warning);
  reporter.stage("asking the stores");
  const names = new Set(scenario.workloads.map(storeOf));
  const monitor = await StoreMonitor.open(stores, scenario.capture, [...names]);
  const count = plan.workers.length;
  const workers = new WorkerPool({
    scenario,
    count,
    nodeFlags: workerFlags,
    interrupted,
    reporter,
    lost: () => undefined,
  });
  try {
    const run = randomInt(2 ** 32);
    const { cassandra, postgres, redis } = stores;
    await workers.setUp((index) => ({
      target: "store",
      scenario: { ...scenario, thresholds: [] },
      share: { index, count },
      run,
      authorities,
      stores: { cassandra, postgres, redis },
    }));
    if (plan.historyMessages > 0) reporter.stage(`writing ${formatCount(plan.historyMessages)} rows of history`);
    const patienceMs = (plan.historyMessages / historyRowsPerSecond) * 1_000 + prepareSlackMs;
    await workers.perform({ type: "write_history" }, patienceMs);
    await workers.load(() => monitor.sample(workers.nowMs()));
    reporter.stage("reading back what was acknowledged");
    const reports = await workers.collect();
    return assembleResult({
      id: `${scenario.name}-${startedAt.toISOString().replaceAll(/[:.]/g, "-")}`,
      scenario,
      plan,
      stats: workers.mergeStats(reports),
      reports,
      ledger: closeStoreAccounts(reports.flatMap(({ account }) => account ?? [])),
      server: { target: "none: the stores themselves" },
      growths: [],
      stores: monitor.results(...workers.recordedSpan()),
      startedAt,
      wallMs: monotonicMs() - startMs,
      interrupted: workers.stoppedMs !== Number.POSITIVE_INFINITY,
    });
  } finally {
    await workers.stop();
    monitor.close();
  }
}

function storeOf(workload: Workload): StoreFact["name"] {
  return workload.do.startsWith("presence.") || workload.do === "store.redis-set" ? "redis" : "cassandra";
}
