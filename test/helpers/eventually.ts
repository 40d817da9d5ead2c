import { vi } from "vitest";

/** Resolves once `check` passes; a busy machine is given time. Rejects with the last error of `check` after thirty seconds. */
export async function eventually(check: () => unknown): Promise<void> {
  await vi.waitFor(check, { timeout: 30_000, interval: 20 });
}
