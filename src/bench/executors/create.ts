import { seedFor } from "../data/mix.ts";
import type { Targets } from "../data/targets.ts";
import type { Workload } from "../scenario/schema.ts";
import { Closed, partOf } from "./closed.ts";
import { ConstantArrivalRate } from "./constant-arrival-rate.ts";
import type { Executor, Share } from "./executor.ts";
import { PerUserPeriod } from "./per-user-period.ts";

export interface CreateExecutorOptions {
  readonly workload: Workload;
  readonly targets: Targets;
  readonly seed: number;
  readonly users: number;
  readonly share: Share;
  /** Of the whole scenario; each worker gets its part, at least 1. */
  readonly inFlightMax: number;
  readonly endMs: number;
}

/** Undefined when this worker has no part in the workload: fewer operations in flight than workers. */
export function createExecutor(options: CreateExecutorOptions): Executor | undefined {
  const { workload, targets, share, endMs, users } = options;
  const { when } = workload;
  const seed = seedFor(options.seed, `executor ${workload.name}`);
  const inFlightMax = Math.max(1, partOf(options.inFlightMax, share));
  const { selectUser } = targets;
  switch (when.executor) {
    case "constant-arrival-rate": {
      const { rate, arrival } = when.options;
      return new ConstantArrivalRate({ ratePerSecond: rate, arrival, seed, selectUser, share, inFlightMax, endMs });
    }
    case "per-user-period": {
      const { period, jitter } = when.options;
      return new PerUserPeriod({ periodMs: period, jitter, seed, users, share, inFlightMax, endMs });
    }
    case "closed": {
      const inFlight = partOf(when.options.in_flight, share);
      return inFlight === 0 ? undefined : new Closed({ inFlight, selectUser, share, endMs });
    }
  }
}
