import type { RateRule } from "../../core/ports/rate-limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { AccountDeps } from "./account-types.ts";

/** Takes one operation from the bucket. Errors: rate_limited. */
export async function takeRate(
  deps: Pick<AccountDeps, "rateLimits">,
  key: string,
  rule: RateRule | undefined,
  at: number,
): Promise<void> {
  if (rule === undefined) return;
  const waitMs = await deps.rateLimits.take(key, rule, 1, at);
  if (waitMs > 0) throw new WireError("rate_limited", { retryAfterMs: waitMs });
}
