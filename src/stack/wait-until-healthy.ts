import type { Address } from "./probes/exchange.ts";
import type { Probe } from "./probes/probes.ts";

export interface HealthWait {
  readonly address: Address;
  readonly probe: Probe;
  readonly readyWithinMs: number;
  /** Whether the answer is of the process that is waited for. */
  readonly isOwn: () => boolean;
  /** Undefined while it runs; then how it ended. */
  readonly ended: () => string | undefined;
  readonly signal: AbortSignal;
  readonly sleep: (milliseconds: number) => Promise<void>;
  readonly nowMs: () => number;
}

export type Health = "healthy" | "late" | "interrupted" | { readonly ended: string };

const probeWithinMs = 2_000;
const pollMs = 50;

/** Asks until the process answers as a healthy one of its kind does, ends, or had its time. */
export async function waitUntilHealthy(wait: HealthWait): Promise<Health> {
  const lateAtMs = wait.nowMs() + wait.readyWithinMs;
  for (;;) {
    const ended = wait.ended();
    if (ended !== undefined) return { ended };
    if (wait.signal.aborted) return "interrupted";
    if ((await wait.probe(wait.address, probeWithinMs)) && wait.isOwn()) return "healthy";
    if (wait.nowMs() >= lateAtMs) return "late";
    await wait.sleep(pollMs);
  }
}
