import type { BenchResult } from "../report/result.ts";
import type { Scenario } from "../scenario/schema.ts";
import type { Target } from "./target.ts";

/** The servers of a run as its result sums them up: CPU of all over the recorded time, memory of the largest. */
export interface DescribeServerOptions {
  readonly scenario: Scenario;
  /** Undefined: the run started its own. */
  readonly givenUrl: string | undefined;
  /** ms since t0. */
  readonly recordedSpan: readonly [fromMs: number, toMs: number];
  readonly rssPerConnectionBytes: number | undefined;
  readonly isInMemory: boolean;
}

export function describeServer(target: Target, options: DescribeServerOptions): BenchResult["server"] {
  const { scenario, givenUrl, rssPerConnectionBytes, isInMemory } = options;
  const [fromMs, toMs] = options.recordedSpan;
  const { profile, servers } = scenario.target;
  const started = servers === 1 ? `${profile}, started for this run` : `${profile}, ${servers} started for this run`;
  const under = target.samples.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  const [first, last] = [under[0], under.at(-1)];
  const measured = first !== undefined && last !== undefined && last.atMs > first.atMs;
  const optional = <T>(name: string, value: T | undefined): Record<string, T> =>
    value === undefined ? {} : { [name]: value };
  return {
    target: givenUrl ?? started,
    ...optional("profile", givenUrl === undefined ? profile : undefined),
    ...(measured ? { cpu: ((last.cpuSeconds - first.cpuSeconds) * 1_000) / (last.atMs - first.atMs) } : {}),
    ...(target.samples.length === 0 ? {} : { rssPeakBytes: Math.max(...target.samples.map((one) => one.rssBytes)) }),
    ...optional("rssPerConnectionBytes", rssPerConnectionBytes),
    ...optional("durableWriteUs", target.durableWriteUs),
    ...(isInMemory && profile === "embedded" ? { dataInMemory: true } : {}),
    ...(target.died === undefined ? {} : { died: describeEnd(target.died) }),
  };
}

export function describeEnd({
  code,
  signal,
}: {
  readonly code: number | null;
  readonly signal: string | null;
}): string {
  return signal === null ? `exit code ${code}` : signal;
}
