import cassandra from "cassandra-driver";
import { describe, expect, test } from "vitest";
import { RetryOnce } from "./retry-policy.ts";

const policy = new RetryOnce();
const { retryDecision } = cassandra.policies.retry.RetryPolicy as unknown as {
  retryDecision: { retry: number; rethrow: number };
};

function decisions(isIdempotent: boolean, nbRetry: number) {
  const info = { query: "", nbRetry, executionOptions: { isIdempotent: () => isIdempotent } };
  const asked = info as unknown as cassandra.policies.retry.OperationInfo;
  return [
    policy.onReadTimeout(asked),
    policy.onWriteTimeout(asked),
    policy.onUnavailable(asked),
    policy.onRequestError(asked),
  ];
}

describe("the retry policy", () => {
  test("tries what may be repeated once more, on another node and at the same consistency", () => {
    for (const decision of decisions(true, 0)) {
      expect(decision).toEqual({ decision: retryDecision.retry, consistency: undefined, useCurrentHost: false });
    }
    for (const decision of decisions(true, 1)) expect(decision).toEqual({ decision: retryDecision.rethrow });
  });

  test("never tries a conditional write again", () => {
    for (const decision of decisions(false, 0)) expect(decision).toEqual({ decision: retryDecision.rethrow });
  });
});
