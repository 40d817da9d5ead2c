import { isIP } from "node:net";
import { type BaseOptions, type SASLOptions, SASLMechanisms } from "@platformatic/kafka";
import { limits } from "../../protocol/limits.ts";

export interface KafkaSettings {
  /** host:port, separated by commas; each is asked until one answers. */
  readonly brokers: string;
  /** In the clear otherwise. */
  readonly tls: boolean;
  /** Empty = no log-in. */
  readonly username: string;
  readonly password: string | undefined;
  /** How `username` logs in. */
  readonly saslMechanism: "scram-sha-512" | "scram-sha-256" | "plain";
  /** Put before the name of the topic and of the group, so that several deployments share one cluster. */
  readonly topicPrefix: string;
  /** Copies of every job; used when the topic is made. */
  readonly replicationFactor: number;
  /** A request without an answer is given up after this, and so is the connection it was sent on. */
  readonly timeoutMs: number;
}

const mechanisms = {
  "scram-sha-512": SASLMechanisms.SCRAM_SHA_512,
  "scram-sha-256": SASLMechanisms.SCRAM_SHA_256,
  plain: SASLMechanisms.PLAIN,
} as const;

export function fanOutTopic({ topicPrefix }: KafkaSettings): string {
  return `${topicPrefix}fanout.large`;
}

export function fanOutGroup({ topicPrefix }: KafkaSettings): string {
  return `${topicPrefix}fanout-workers`;
}

export function brokersOf({ brokers }: KafkaSettings): string[] {
  return brokers.split(",");
}

/** `role`: what the connection is for, as the broker's own metrics and logs name it. */
export function clientOptions(settings: KafkaSettings, role: string) {
  const { timeoutMs } = settings;
  const bootstrapBrokers = brokersOf(settings);
  return {
    clientId: `msgr-${role}`,
    bootstrapBrokers,
    // Those that are away are tried before one that is there: all of them have to fit into one look.
    connectTimeout: Math.ceil(timeoutMs / bootstrapBrokers.length),
    requestTimeout: timeoutMs,
    timeout: timeoutMs,
    // Whoever asks knows better when to ask again.
    retries: 0,
    autocreateTopics: false,
    ...(settings.tls ? tlsOptions(bootstrapBrokers) : {}),
    ...(settings.username === "" ? {} : { sasl: logIn(settings) }),
  } satisfies BaseOptions;
}

/** Names are asked for by name, as a broker behind a proxy of names (SNI) wants it; there is no such thing for addresses. */
function tlsOptions(brokers: readonly string[]) {
  const byName = brokers.every((broker) => isIP(broker.slice(0, broker.lastIndexOf(":"))) === 0);
  return { tls: { rejectUnauthorized: true }, tlsServerName: byName };
}

function logIn({ username, password, saslMechanism }: KafkaSettings): SASLOptions {
  return { mechanism: mechanisms[saslMechanism], username, password: password ?? "" };
}

export const membership = {
  /** A process that died is found out after this; its partitions are then served by others. */
  sessionMs: 10_000,
  heartbeatMs: 1_000,
  /** A partition changes hands only when the call under way for it has ended, or after this. */
  handOverMsMax: limits.fanOutCeilingMs + 5_000,
  /** The broker waits so long for all members to join anew. */
  rebalanceMs: limits.fanOutCeilingMs + 15_000,
} as const;
