import { faultNames } from "../ledger/faults.ts";
import { formatBytes, formatCount, formatMetric, formatRate, formatShare, formatSpanMs, formatUs } from "./format.ts";
import type { BenchResult, DistributionResult, WorkloadResult } from "./result.ts";
import { faultLines } from "./fault-lines.ts";
import { presenceLines } from "./presence-lines.ts";
import { labelled, labelWidth, lineWidth } from "./labelled.ts";
import { serverLines } from "./server-lines.ts";
import { createStyle, type Style } from "./style.ts";
import { wrap } from "./wrap.ts";

/** The end of a run on one screen, at most 100 columns: what was asked, how long it took, and whether it was right. */
export interface SummaryOptions {
  readonly colour: boolean;
  /** Where the result was written; undefined: nowhere. */
  readonly resultFile?: string | undefined;
}

export function summaryText(result: BenchResult, options: SummaryOptions): string {
  const style = createStyle(options.colour);
  const lines = [
    ...headLines(result, style),
    "",
    ...tableLines(result, style),
    "",
    ...ratioLines(result, style),
    ...deliveryLines(result, style),
    ...(result.ledger.presenceChecked === undefined ? ledgerLines(result, style) : storeLedgerLines(result, style)),
    ...presenceLines(result, style),
    ...faultLines(result, style),
    ...clientLines(result, style),
    ...resyncLines(result, style),
    ...serverLines(result, style),
    ...generatorLines(result, style),
    ...storeLines(result, style),
    ...thresholdLines(result, style),
    ...(options.resultFile === undefined ? [] : labelled("result", options.resultFile, style)),
    "",
    verdictLine(result, style),
  ];
  return `${lines.join("\n")}\n`;
}

/** What must be known of faults at a glance. */
export interface Headline {
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly other: number;
}

export function headlineOf({ counts }: BenchResult["ledger"]["faults"]): Headline {
  const of = (...names: (keyof typeof counts)[]): number => names.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
  const lost = of("lost", "acked_not_in_log");
  const duplicated = of("duplicated");
  const reordered = of("reordered", "causal_order");
  return { lost, duplicated, reordered, other: of(...faultNames) - lost - duplicated - reordered };
}

function headLines(result: BenchResult, style: Style): string[] {
  const sockets = result.connections === 0 ? "" : `, ${formatCount(result.connections)} connections`;
  const who = `${formatCount(result.users)} users${sockets}`;
  const how = `${result.workers} ${result.workers === 1 ? "worker" : "workers"}, seed ${result.seed}`;
  return [
    `${style.strong(result.name)}  ${who}, ${how}, ${formatSpanMs(result.recordedMs)} recorded`,
    ...wrap(result.description, lineWidth).map((line) => style.dim(line)),
  ];
}

const columns = ["asked/s", "done/s", "errors", "p50", "p90", "p99", "max", "service", "wait"] as const;
const columnWidth = 9;
const nameWidth = 19;

function tableLines(result: BenchResult, style: Style): string[] {
  const over = `${" ".repeat(nameWidth + 3 * columnWidth)}${"response".padStart(2 * columnWidth)}${"p99".padStart(3 * columnWidth)}${"p99".padStart(columnWidth)}`;
  const head = "workload".padEnd(nameWidth) + columns.map((name) => name.padStart(columnWidth)).join("");
  const closed = result.workloads.some((workload) => !workload.open);
  return [
    style.dim(over),
    style.dim(head),
    ...result.workloads.map((workload) => tableRow(workload, style)),
    ...errorLines(result, style),
    ...unfinishedLines(result, style),
    ...durableLines(result, style),
    ...(closed
      ? [style.dim("* closed: as fast as answers come; do not compare its latencies with those of open workloads")]
      : []),
  ];
}

function tableRow(workload: WorkloadResult, style: Style): string {
  const name = `${workload.name.slice(0, nameWidth - 3)}${workload.open ? "" : " *"}`.padEnd(nameWidth);
  const cell = (text: string): string => text.padStart(columnWidth);
  const perSecond = (value: number): string => cell(formatRate(value).slice(0, -2));
  const { response, service, wait } = workload;
  const errors = cell(formatCount(workload.failed));
  const percentiles = [response.p50Us, response.p90Us, response.p99Us, response.maxUs, service.p99Us, wait.p99Us];
  const latencies =
    response.count === 0 ? percentiles.map(() => cell("–")) : percentiles.map((us) => cell(formatUs(us)));
  return (
    name +
    (workload.open ? perSecond(workload.askedPerSecond) : cell("–")) +
    perSecond(workload.succeededPerSecond) +
    (workload.failed > 0 ? style.bad(errors) : errors) +
    latencies.join("")
  );
}

function errorLines(result: BenchResult, style: Style): string[] {
  return result.workloads.flatMap(({ name, errors }) => {
    const codes = Object.entries(errors).sort(([, one], [, other]) => other - one);
    if (codes.length === 0) return [];
    const text = codes
      .slice(0, 5)
      .map(([code, count]) => `${code} ${formatCount(count)}`)
      .join(", ");
    return [style.bad(`${name}: ${text}`.slice(0, lineWidth))];
  });
}

function unfinishedLines({ workloads }: BenchResult, style: Style): string[] {
  return workloads.flatMap(({ name, abandoned, skipped }) => [
    ...(abandoned === 0 ? [] : [style.bad(`${name}: ${formatCount(abandoned)} had not ended when the drain was over`)]),
    ...(skipped === 0
      ? []
      : [style.dim(`${name}: ${formatCount(skipped)} skipped, the user was away or had nothing to do`)]),
  ]);
}

/** No rate of durable messages can be judged without what one durable write takes on this disk. */
function durableLines({ workloads, server }: BenchResult, style: Style): string[] {
  if (!workloads.some(({ does }) => does.endsWith(".send"))) return [];
  if (server.dataInMemory === true) return [style.warn("The data lay in memory, so nothing here was durable.")];
  if (server.durableWriteUs === undefined) return [];
  const alone = formatUs(server.durableWriteUs);
  return [style.dim(`Messages are on disk before they are acked; a lone durable write takes ${alone} here.`)];
}

function clientLines({ clients }: BenchResult, style: Style): string[] {
  const { reconnects, resends, rangesSent, receiptsRefused, violations } = clients;
  const deeds = [
    [reconnects, "connections lost"],
    [resends, "messages sent again"],
    [rangesSent, "holes asked for"],
    [receiptsRefused, "receipts refused"],
    [violations, "pages that broke the protocol"],
  ] as const;
  const text = deeds.filter(([count]) => count > 0).map(([count, what]) => `${formatCount(count)} ${what}`);
  return text.length === 0 ? [] : labelled("clients", text.join(", "), style);
}

function resyncLines({ resync }: BenchResult, style: Style): string[] {
  if (resync === undefined) return [];
  const { count, p50Us, p99Us, maxUs } = resync.took;
  const times = `p50 ${formatUs(p50Us)}, p99 ${formatUs(p99Us)}, max ${formatUs(maxUs)}`;
  const attempts = resync.attemptsMean.toFixed(1);
  return labelled(
    "resync",
    `${formatCount(count)} connections lost, in sync ${times}; ${attempts} attempts each`,
    style,
  );
}

function deliveryLines(result: BenchResult, style: Style): string[] {
  return result.workloads.flatMap(({ name, delivery, asked, askedPerSecond, open }) => {
    if (delivery.each.count === 0) return [];
    const { each, first, last, same, cross } = delivery;
    const ends =
      last.count === 0
        ? ""
        : `; first ${formatUs(first.p50Us)}, last ${formatUs(last.p50Us)}, p99 ${formatUs(last.p99Us)}`;
    const byRoute =
      same === undefined || cross === undefined
        ? ""
        : `; same server p50 ${medianText(same)}, other ${medianText(cross)}`;
    // A workload that ran in some phases only was not asked for in the others.
    const seconds = open && asked > 0 ? asked / askedPerSecond : result.recordedMs / 1_000;
    const text = `${name} ${formatRate(each.count / seconds)}, p50 ${formatUs(each.p50Us)}, p99 ${formatUs(each.p99Us)}${ends}${byRoute}`;
    return labelled("delivery", text, style);
  });
}

function medianText({ count, p50Us }: DistributionResult): string {
  return count === 0 ? "–" : formatUs(p50Us);
}

/** Workloads that do the same through two clients, each against the bare driver: what the adapter leaves of it. */
function ratioLines(result: BenchResult, style: Style): string[] {
  const parts = pairsOf(result).map(({ name, bare, share }) => `${name} ${formatShare(share)} of ${bare}`);
  const costs = result.workloads.flatMap(({ name, generatorCpuUs }) =>
    generatorCpuUs === undefined || result.workloads.length === 1 ? [] : [`${name} ${formatCpuUs(generatorCpuUs)}`],
  );
  return [
    ...(parts.length === 0 ? [] : labelled("ratio", parts.join(", "), style)),
    ...(costs.length === 0 ? [] : labelled("worker CPU", `${costs.join(", ")} an operation`, style)),
  ];
}

function formatCpuUs(us: number): string {
  return us < 10 ? `${us.toFixed(2)} µs` : formatUs(us);
}

interface Pair {
  readonly name: string;
  readonly bare: string;
  readonly share: number;
}

/** A closed workload and the one that does the same and is named as it with "-bare" behind. */
function pairsOf({ workloads }: BenchResult): Pair[] {
  return workloads.flatMap(({ name, does, open, succeededPerSecond }) => {
    const bare = workloads.find((other) => other.name === `${name}-bare` && other.does === does);
    if (open || bare === undefined || bare.succeededPerSecond === 0) return [];
    return [{ name, bare: bare.name, share: succeededPerSecond / bare.succeededPerSecond }];
  });
}

function storeLedgerLines({ ledger }: BenchResult, style: Style): string[] {
  const { lost, duplicated, reordered, other } = headlineOf(ledger.faults);
  const checked = [
    ledger.sent === 0
      ? ""
      : `wrote ${formatCount(ledger.sent)}, acknowledged ${formatCount(ledger.acked)}${openText(ledger)}`,
    ledger.conversationsScanned === 0
      ? ""
      : `read back ${formatCount(ledger.logRows)} rows of ${formatCount(ledger.conversationsScanned)} conversations`,
    (ledger.presenceChecked ?? 0) === 0
      ? ""
      : `${formatCount(ledger.presenceChecked ?? 0)} answers about people who were online`,
  ].filter((text) => text !== "");
  const falseOffline = ledger.faults.counts.false_offline ?? 0;
  const mark = marker(style);
  const faults = [mark("lost", lost), mark("duplicated", duplicated), mark("reordered", reordered)];
  const rest = [mark("false offline", falseOffline), mark("other faults", other - falseOffline)];
  return [
    ...labelled("ledger", checked.length === 0 ? "nothing that could be checked" : checked.join("; "), style),
    `${" ".repeat(labelWidth)}${[...faults, ...rest].join(", ")}`,
    ...caseLines(ledger, style),
  ];
}

function marker(style: Style): (name: string, count: number) => string {
  return (name, count) => (count === 0 ? style.good(`${name} 0`) : style.bad(`${name} ${formatCount(count)}`));
}

function openText({ undecided, undecidedInLog }: BenchResult["ledger"]): string {
  return undecided === 0 ? "" : `, undecided ${formatCount(undecided)} (${formatCount(undecidedInLog)} in the log)`;
}

function caseLines({ faults }: BenchResult["ledger"], style: Style): string[] {
  return faults.cases.slice(0, 5).flatMap(({ fault, detail }) => labelled("", `${fault}: ${detail}`, style));
}

function ledgerLines({ ledger }: BenchResult, style: Style): string[] {
  const { lost, duplicated, reordered, other } = headlineOf(ledger.faults);
  const mark = marker(style);
  const open = openText(ledger);
  const refused = ledger.refused === 0 ? "" : `, refused ${formatCount(ledger.refused)}`;
  const scanned = `log of ${formatCount(ledger.conversationsScanned)} conversations read`;
  const unscanned = ledger.conversationsUnscanned === 0 ? "" : `, ${formatCount(ledger.conversationsUnscanned)} not`;
  const absent = ledger.devicesAbsent === 0 ? "" : `, ${formatCount(ledger.devicesAbsent)} devices offline at the end`;
  const first = `sent ${formatCount(ledger.sent)}, delivered ${formatCount(ledger.delivered)}, read ${formatCount(ledger.read)}${open}${refused}`;
  return [
    ...labelled("ledger", first, style),
    `${" ".repeat(labelWidth)}${mark("lost", lost)}, ${mark("duplicated", duplicated)}, ${mark("reordered", reordered)}, ${mark("other faults", other)}`,
    ...labelled("", `${scanned}${unscanned}${absent}`, style),
    ...caseLines(ledger, style),
  ];
}

function generatorLines({ generator, server }: BenchResult, style: Style): string[] {
  const state = generator.valid ? style.good("valid") : style.warn("INVALID");
  const text =
    `CPU ${formatShare(generator.cpu)}, event loop p99 ${formatUs(generator.eventLoopLagP99Ms * 1_000)}, ` +
    `start lag p99 ${formatUs(generator.startLagP99Ms * 1_000)}, at most ${formatCount(generator.inFlightPeak)} in flight`;
  const facts = [
    server.cpu === undefined ? "" : `CPU ${formatShare(server.cpu)}`,
    server.rssPeakBytes === undefined ? "" : `RSS ${formatBytes(server.rssPeakBytes)}`,
    server.rssPerConnectionBytes === undefined ? "" : `${formatBytes(server.rssPerConnectionBytes)} a connection`,
    server.died === undefined ? "" : `it died (${server.died})`,
  ].filter((fact) => fact !== "");
  return [
    `${style.dim("generator".padEnd(labelWidth))}${state}, ${text}`,
    ...[...generator.reasons, ...(generator.notes ?? [])].flatMap((line) => labelled("", line, style)),
    ...(facts.length === 0 ? [] : labelled("server", facts.join(", "), style)),
  ];
}

function storeLines({ stores = [] }: BenchResult, style: Style): string[] {
  const lines = stores.map(({ name, version, address, cpu, rssPeakBytes, commandsPerSecond }) => {
    const facts = [
      `${name} ${version} on ${address}`,
      cpu === undefined ? "" : `CPU ${formatShare(cpu)}`,
      rssPeakBytes === undefined ? "" : `RSS ${formatBytes(rssPeakBytes)}`,
      commandsPerSecond === undefined ? "" : `${formatRate(commandsPerSecond)} commands`,
    ];
    return facts.filter((fact) => fact !== "").join(", ");
  });
  return lines.flatMap((text, index) => labelled(index === 0 ? "stores" : "", text, style));
}

function thresholdLines({ thresholds }: BenchResult, style: Style): string[] {
  if (thresholds.length === 0) return [];
  const missed = thresholds.filter((threshold) => !threshold.ok);
  const lines = missed.map(({ metric, statistic, demanded, actual, unit }) => {
    const found = actual === undefined ? "no data" : formatMetric(actual, unit);
    return `${" ".repeat(labelWidth)}${style.bad(`missed: ${metric} ${statistic} ${demanded}, was ${found}`)}`;
  });
  return [
    ...labelled("thresholds", `${thresholds.length - missed.length} of ${thresholds.length} held`, style),
    ...lines,
  ];
}

function verdictLine(result: BenchResult, style: Style): string {
  const { lost, duplicated, reordered, other } = headlineOf(result.ledger.faults);
  switch (result.exitCode) {
    case 0: {
      const generator =
        (result.generator.notes ?? []).length === 0 ? "the generator kept up" : "the generator is the limit";
      return style.good(`PASSED: nothing lost, duplicated or reordered; ${generator}; every threshold held`);
    }
    case 7:
      return style.bad(
        `FAILED: ${result.thresholds.filter((threshold) => !threshold.ok).length} thresholds missed (exit 7)`,
      );
    case 8:
      return style.warn("INVALID: the generator or this machine was the limit, not the server (exit 8)");
    case 9:
      return style.bad(
        `BROKEN: ${lost} lost, ${duplicated} duplicated, ${reordered} reordered, ${other} other faults (exit 9)`,
      );
    case 4:
      return style.bad("ENDED EARLY: the server died; what it had acked is still in its log (exit 4)");
    case 130:
      return style.warn("INTERRUPTED: nothing lost, duplicated or reordered until then (exit 130)");
    default:
      return style.bad(`ended with exit code ${result.exitCode}`);
  }
}
