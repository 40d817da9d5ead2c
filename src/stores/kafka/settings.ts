import type { BaseOptions } from "@platformatic/kafka";
import { limits } from "../../protocol/limits.ts";

export interface KafkaSettings {
  /** host:port, separated by commas. */
  readonly brokers: string;
  /** Put before the name of the topic and of the group, so that several deployments share one cluster. */
  readonly topicPrefix: string;
  /** Copies of every job; used when the topic is made. */
  readonly replicationFactor: number;
  /** A request without an answer is given up after this, and so is the connection it was sent on. */
  readonly timeoutMs: number;
}

export function fanOutTopic({ topicPrefix }: KafkaSettings): string {
  return `${topicPrefix}fanout.large`;
}

export function fanOutGroup({ topicPrefix }: KafkaSettings): string {
  return `${topicPrefix}fanout-workers`;
}

/** `role`: what the connection is for, as the broker's own metrics and logs name it. */
export function clientOptions({ brokers, timeoutMs }: KafkaSettings, role: string) {
  return {
    clientId: `msgr-${role}`,
    bootstrapBrokers: brokers.split(","),
    connectTimeout: timeoutMs,
    requestTimeout: timeoutMs,
    timeout: timeoutMs,
    // Whoever asks knows better when to ask again.
    retries: 0,
    autocreateTopics: false,
  } satisfies BaseOptions;
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
