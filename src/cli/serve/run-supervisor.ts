import { systemClock } from "../../base/clock.ts";
import type { Invocation } from "../command.ts";
import { launchWorker } from "./launch-worker.ts";
import type { ReadyDocument } from "./ready-document.ts";
import type { ServeRequest } from "./serve-request.ts";
import { asksToLeave, createServerLog } from "./server-log.ts";
import { Supervisor, type ServingWorker } from "./supervisor.ts";

/** What a worker gets beyond drain.spread_ms: connections that do not close, what is in flight, the stores. */
const leavePatienceMs = 15_000;

/** Runs `workers` processes on one port until it is asked to leave. Rejects with CliError. */
export async function runSupervisor(invocation: Invocation, request: ServeRequest, workers: number): Promise<void> {
  const { config } = request.resolved;
  const { interrupted } = invocation;
  const log = await createServerLog(invocation, config, { worker: "supervisor" });
  const supervisor = new Supervisor({
    count: workers,
    launch: launchWorker,
    adminPort: config.admin.enabled ? config.admin.port : undefined,
    drainMs: config.drain.spread_ms + leavePatienceMs,
    clock: systemClock,
    log,
  });
  const reload = (): void => {
    const again = request.loadAgain();
    if (!("problems" in again)) log.setLevel(again.config.log.level);
    supervisor.reload();
  };
  const roll = (): void => void supervisor.roll();
  process.on("SIGHUP", reload);
  process.on("SIGUSR2", roll);
  // While all workers are dead and wait to be started again, nothing else keeps this process.
  const keep = setInterval(() => {}, 2 ** 30);
  try {
    const serving = await Promise.race([supervisor.start(), asksToLeave(interrupted).then(() => undefined)]);
    if (serving !== undefined) {
      announce(invocation, serving);
      await Promise.race([asksToLeave(interrupted), supervisor.over]);
    }
    await supervisor.drain();
  } finally {
    clearInterval(keep);
    process.removeListener("SIGHUP", reload);
    process.removeListener("SIGUSR2", roll);
    log.flush();
  }
}

function announce({ output }: Invocation, serving: readonly ServingWorker[]): void {
  const url = serving[0]?.url ?? "";
  const workers = serving.map(({ pid, node, adminUrl }) => ({
    pid,
    node,
    ...(adminUrl === undefined ? {} : { admin_url: adminUrl }),
  }));
  if (output.json) {
    const document: ReadyDocument = { event: "ready", url, profile: "cluster", pid: process.pid, workers };
    return output.data(document, () => "");
  }
  const admin = workers.flatMap((worker) => worker.admin_url ?? []);
  const administration = admin.length === 0 ? "" : `, administration on ${admin.join(" ")}`;
  output.talk(`Ready on ${url}, ${workers.length} workers${administration}. Data: in the stores. Ctrl-C stops.`);
}
