import cassandra from "cassandra-driver";

const { RetryPolicy } = cassandra.policies.retry;
type OperationInfo = cassandra.policies.retry.OperationInfo;
type DecisionInfo = cassandra.policies.retry.DecisionInfo;

/**
 * Reads and registers are tried once more, on another node. A conditional write never is: it may have happened, and a second
 * one would find its own first and call it a conflict. (The driver itself repeats what it knows was never sent.)
 */
export class RetryOnce extends RetryPolicy {
  override onReadTimeout(info: OperationInfo): DecisionInfo {
    return this.#once(info);
  }

  override onWriteTimeout(info: OperationInfo): DecisionInfo {
    return this.#once(info);
  }

  override onUnavailable(info: OperationInfo): DecisionInfo {
    return this.#once(info);
  }

  override onRequestError(info: OperationInfo): DecisionInfo {
    return this.#once(info);
  }

  #once({ executionOptions, nbRetry }: OperationInfo): DecisionInfo {
    if (nbRetry > 0 || !executionOptions.isIdempotent()) return this.rethrowResult();
    // undefined = at the consistency it had; the types of the driver do not say that it may be.
    return this.retryResult(undefined as unknown as cassandra.types.consistencies, false);
  }
}
