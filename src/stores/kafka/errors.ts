import {
  AuthenticationError,
  findErrorBy,
  GenericError,
  NetworkError,
  TimeoutError,
  UserError,
} from "@platformatic/kafka";
import { isNotTls } from "../../base/speaks-tls.ts";
import { StoreError } from "../../base/store-error.ts";
import { isUntrusted, untrustedFix } from "../../base/untrusted.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { KafkaSettings } from "./settings.ts";

/** Whether the broker answered with that error (`OFFSET_OUT_OF_RANGE`, …), anywhere in what the driver wrapped around it. */
export function answers(error: unknown, ...ids: readonly string[]): boolean {
  return error instanceof Error && ids.some((id) => findErrorBy(error, "apiId", id) !== null);
}

/**
 * Whether it is the answer of a cluster that is there and has not yet chosen who leads what: moments after it was started
 * or the topic was made. The driver calls a topic that no broker knows yet a mistake of its user.
 */
export function isStarting(error: unknown): boolean {
  if (!(error instanceof Error) || transportOf(reasonsOf(error)) !== undefined) return false;
  if (findErrorBy(error, "code", UserError.code) !== null) return true;
  if (findErrorBy(error, "hasStaleMetadata", true) !== null) return true;
  // Somebody else made the topic, and the broker that was asked does not show it yet.
  if (answers(error, "TOPIC_ALREADY_EXISTS")) return true;
  return answers(error, "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS", "NOT_COORDINATOR");
}

/** The error, its causes and those of all brokers that were tried, outermost first. */
function reasonsOf(error: unknown, depth = 0): readonly Error[] {
  if (!(error instanceof Error) || depth > 16) return [];
  const inner: readonly unknown[] = error instanceof AggregateError ? error.errors : [error.cause];
  return [error, ...inner.flatMap((each) => reasonsOf(each, depth + 1))];
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

/** Who is asked, and how. Nothing of it is secret. */
type Place = Pick<KafkaSettings, "brokers" | "username" | "saslMechanism">;

/** A topic that exists for its maker and stays unseen is one that we may not describe. */
const forbidden = [
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TOPIC_ALREADY_EXISTS",
];

/** What an operator hears of a Kafka that cannot be used. */
export function toStoreError(error: unknown, place: Place): StoreError {
  if (error instanceof StoreError) return error;
  const where = `Kafka at ${place.brokers}`;
  const text = firstMessage(error);
  const reasons = reasonsOf(error);
  const known = transportError(reasons, where, error) ?? logInError(reasons, place, error);
  if (known !== undefined) return known;
  if (answers(error, ...forbidden)) {
    return new StoreError(
      "kafka",
      "wrong_password",
      `${where} does not let msgr do its work: ${text}`,
      "Allow msgr to create, describe, read and write its topic and to read its group (kafka-acls.sh).",
      error,
    );
  }
  if (answers(error, "INVALID_REPLICATION_FACTOR")) {
    return new StoreError(
      "kafka",
      "other",
      `${where} has fewer brokers than kafka.replication_factor asks for: ${text}`,
      "Set kafka.replication_factor to at most the number of brokers: 1 on one machine, 3 in production.",
      error,
    );
  }
  return new StoreError(
    "kafka",
    "unreachable",
    `${where} does not answer: ${text}`,
    "Start it (`msgr stack up --only kafka`) or correct kafka.brokers.",
    error,
  );
}

/** By the driver's own sentences, which it has no codes for. */
function transportOf(reasons: readonly Error[]): "no_tls" | "tls" | undefined {
  const says = (sentence: string): boolean => reasons.some(({ message }) => message.startsWith(sentence));
  if (says("Broker requires TLS")) return "tls";
  return says("TLS handshake failed") || reasons.some(isNotTls) ? "no_tls" : undefined;
}

function transportError(reasons: readonly Error[], where: string, cause: unknown): StoreError | undefined {
  const untrusted = reasons.find(isUntrusted);
  if (untrusted !== undefined) {
    const message = `${where} shows a certificate that is not trusted: ${untrusted.message}`;
    return new StoreError("kafka", "untrusted", message, untrustedFix, cause);
  }
  const transport = transportOf(reasons);
  if (transport === "tls") return wantsTls(where, cause);
  if (transport === undefined) return undefined;
  const fix = "Set kafka.tls to false, or kafka.brokers to a listener of SSL or SASL_SSL.";
  return new StoreError("kafka", "wrong_transport", `${where} does not speak TLS, and kafka.tls is true.`, fix, cause);
}

export function wantsTls(where: string, cause: unknown): StoreError {
  const message = `${where} speaks TLS, and kafka.tls is false.`;
  return new StoreError("kafka", "wrong_transport", message, "Set kafka.tls to true.", cause);
}

export function wantsLogIn(where: string, cause: unknown): StoreError {
  const message = `${where} does not let anybody in without a log-in.`;
  const fix = "Set kafka.username and kafka.password (or kafka.password_file).";
  return new StoreError("kafka", "wrong_password", message, fix, cause);
}

/** A connection that is lost in the middle of a log-in is told by the driver as a failed log-in, too. */
function isRefusal(reason: Error): boolean {
  const isLost = (cause: Error): boolean => cause instanceof NetworkError || cause instanceof TimeoutError;
  return reason instanceof AuthenticationError && !reasonsOf(reason.cause).some(isLost);
}

function logInError(
  reasons: readonly Error[],
  { brokers, username, saslMechanism }: Place,
  cause: unknown,
): StoreError | undefined {
  const refused = (why: string, fix: string): StoreError =>
    new StoreError(
      "kafka",
      "wrong_password",
      `Kafka at ${brokers} does not let user ${username} in: ${why}.`,
      fix,
      cause,
    );
  const says = (id: string): boolean => reasons.some((reason) => answers(reason, id));
  if (says("UNSUPPORTED_SASL_MECHANISM")) {
    const fix = "Set kafka.sasl_mechanism to one of sasl.enabled.mechanisms of the brokers.";
    return refused(`it does not take ${saslMechanism}`, fix);
  }
  if (says("ILLEGAL_SASL_STATE")) {
    const fix = "Leave kafka.username empty, or set kafka.brokers to a listener of SASL_PLAINTEXT or SASL_SSL.";
    return refused("its listener knows no log-in", fix);
  }
  if (!reasons.some(isRefusal)) return undefined;
  return refused(
    "the name, the password or the mechanism is wrong",
    "Set kafka.username, kafka.password (or kafka.password_file) and kafka.sasl_mechanism.",
  );
}
