import { formatBytes, formatCount, formatRate, formatSpanMs } from "../report/format.ts";
import { wrap } from "../report/wrap.ts";
import type { Plan } from "./plan.ts";

const lineWidth = 100;

/** The plan for people, as `msgr bench --dry-run` prints it; at most 100 columns, ends with a newline. */
export function planText(plan: Plan): string {
  const workers = plan.workers.length;
  const first = plan.workers[0];
  const lines = [
    ...wrap(`${plan.name}: ${plan.description}`, lineWidth),
    "",
    line("seed", String(plan.seed)),
    line("users", `${formatCount(plan.users)} with ${formatCount(plan.connections)} connections`),
    line(
      "conversations",
      `${formatCount(plan.conversations)}, ${formatCount(plan.historyMessages)} messages written beforehand`,
    ),
    line(
      "workers",
      `${workers}, ${formatCount(first?.users ?? 0)} users and ${formatCount(first?.connections ?? 0)} sockets each, ` +
        `about ${formatBytes(plan.memoryBytesPerWorker)} each`,
    ),
    line("addresses", `${plan.sourceAddresses} source ${plan.sourceAddresses === 1 ? "address" : "addresses"}`),
    line(
      "time",
      `${formatSpanMs(plan.connectMs)} connecting, ${formatSpanMs(plan.loadMs)} load, ` +
        `up to ${formatSpanMs(plan.drainMs)} draining`,
    ),
    line(
      "asked",
      `${formatRate(plan.operationsPerSecond)} operations, ${formatRate(plan.deliveriesPerSecond)} deliveries`,
    ),
    "",
    `${"workload".padEnd(20)}${"does".padEnd(20)}${"executor".padEnd(24)}${"rate".padStart(12)}${"operations".padStart(14)}`,
    ...plan.workloads.map((workload) => {
      const rate =
        workload.ratePerSecond === undefined ? `${workload.inFlight} at once` : formatRate(workload.ratePerSecond);
      const operations = workload.operations === undefined ? "–" : formatCount(workload.operations);
      const name = workload.name.slice(0, 19).padEnd(20);
      return `${name}${workload.does.padEnd(20)}${workload.executor.padEnd(24)}${rate.padStart(12)}${operations.padStart(14)}`;
    }),
    ...(plan.faults.length === 0 ? [] : ["", ...plan.faults.map((text, at) => line(at === 0 ? "faults" : "", text))]),
    ...plan.warnings.flatMap((warning) => ["", ...wrap(`warning: ${warning}`, lineWidth)]),
  ];
  return `${lines.join("\n")}\n`;
}

function line(label: string, text: string): string {
  return `${label.padEnd(15)}${text}`;
}
