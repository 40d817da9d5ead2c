import { findErrorBy, GenericError, UserError } from "@platformatic/kafka";
import { StoreError } from "../../base/store-error.ts";
import { WireError } from "../../protocol/wire-errors.ts";

/** Whether the broker answered with that error (`OFFSET_OUT_OF_RANGE`, …), anywhere in what the driver wrapped around it. */
export function answers(error: unknown, ...ids: readonly string[]): boolean {
  return error instanceof Error && ids.some((id) => findErrorBy(error, "apiId", id) !== null);
}

/**
 * Whether it is the answer of a cluster that is there and has not yet chosen who leads what: moments after it was started
 * or the topic was made. The driver calls a topic that no broker knows yet a mistake of its user.
 */
export function isStarting(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (findErrorBy(error, "code", UserError.code) !== null) return true;
  if (findErrorBy(error, "hasStaleMetadata", true) !== null) return true;
  return answers(error, "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR");
}

/** What went wrong first: the driver's own messages say only how often it tried. */
export function firstMessage(error: unknown): string {
  let inner: unknown = error;
  for (let depth = 0; depth < 16; depth++) {
    const next: unknown =
      inner instanceof AggregateError ? inner.errors[0] : inner instanceof Error ? inner.cause : null;
    if (!(next instanceof Error)) break;
    inner = next;
  }
  return inner instanceof Error && inner.message !== "" ? inner.message : String(inner);
}

/**
 * What a client may hear of an error of Kafka or of the way to it: `storage_full` where the broker cannot write,
 * `store_unavailable` where there was no answer. What is no error of the driver is a mistake of ours and stays as it is.
 */
export function toWireError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof WireError) return error;
  if (answers(error, "KAFKA_STORAGE_ERROR")) return new WireError("storage_full", { cause: error });
  if (error instanceof StoreError || isOfDriver(error)) return new WireError("store_unavailable", { cause: error });
  return error;
}

/** AggregateError is not a GenericError, but the driver's own is marked as one. */
function isOfDriver(error: Error): boolean {
  return GenericError.isGenericError(error);
}

/** What an operator hears of a Kafka that cannot be used. */
export function toStoreError(error: unknown, brokers: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = firstMessage(error);
  if (answers(error, "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED")) {
    return new StoreError(
      "kafka",
      "wrong_password",
      `Kafka at ${brokers} does not let msgr do its work: ${text}`,
      "Allow msgr to create, describe, read and write its topic and to read its group (kafka-acls.sh).",
      error,
    );
  }
  if (answers(error, "INVALID_REPLICATION_FACTOR")) {
    return new StoreError(
      "kafka",
      "other",
      `Kafka at ${brokers} has fewer brokers than kafka.replication_factor asks for: ${text}`,
      "Set kafka.replication_factor to at most the number of brokers: 1 on one machine, 3 in production.",
      error,
    );
  }
  return new StoreError(
    "kafka",
    "unreachable",
    `Kafka at ${brokers} does not answer: ${text}`,
    "Start it (`msgr stack up --only kafka`) or correct kafka.brokers.",
    error,
  );
}
