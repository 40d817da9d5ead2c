import type { Config } from "./config/config-schema.ts";

/** What each store's own connect function wants, from the one configuration. */

export function cassandraOptions({ cassandra }: Config) {
  return {
    contactPoints: cassandra.contact_points,
    datacenter: cassandra.datacenter,
    keyspace: cassandra.keyspace,
    tls: cassandra.tls,
    username: cassandra.username,
    password: cassandra.password,
    inFlightMax: cassandra.in_flight_max,
    timeoutMs: cassandra.timeout_ms,
  };
}

export function postgresOptions({ postgres }: Config) {
  return {
    url: postgres.url,
    password: postgres.password,
    connectionsMax: postgres.connections_max,
    timeoutMs: postgres.timeout_ms,
  };
}

export function redisSettings({ redis }: Config) {
  return { url: redis.url, password: redis.password, keyPrefix: redis.key_prefix, timeoutMs: redis.timeout_ms };
}

export function s3Options({ s3 }: Config) {
  return {
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: s3.bucket,
    accessKeyId: s3.access_key_id,
    secretAccessKey: s3.secret_access_key ?? "",
    timeoutMs: s3.timeout_ms,
  };
}

export function kafkaSettings({ kafka }: Config) {
  return {
    brokers: kafka.brokers,
    tls: kafka.tls,
    username: kafka.username,
    password: kafka.password,
    saslMechanism: kafka.sasl_mechanism,
    topicPrefix: kafka.topic_prefix,
    replicationFactor: kafka.replication_factor,
    timeoutMs: kafka.timeout_ms,
  };
}
