import { createFailureLog, kindOf } from "../base/failure-log.ts";
import { createSystemRandom } from "../base/random.ts";
import { NoFanOutQueue } from "../core/fan-out/no-fan-out-queue.ts";
import type { FanOutQueue } from "../core/ports/fan-out-queue.ts";
import { connectCassandra } from "../stores/cassandra/connect.ts";
import { createCassandraConversationLists } from "../stores/cassandra/conversation-lists.ts";
import { createCassandraMessageLog } from "../stores/cassandra/message-log.ts";
import { createCassandraReceipts } from "../stores/cassandra/receipts.ts";
import type { CassandraSession } from "../stores/cassandra/session.ts";
import { openKafkaFanOutQueue } from "../stores/kafka/fan-out-queue.ts";
import { createMemoryRateLimits } from "../stores/memory/rate-limits.ts";
import { connectPostgres } from "../stores/postgres/connect.ts";
import { createPostgresConversationSettings } from "../stores/postgres/conversation-settings.ts";
import { createPostgresGroups } from "../stores/postgres/groups.ts";
import { createPostgresMediaRows } from "../stores/postgres/media-rows.ts";
import type { Postgres } from "../stores/postgres/postgres.ts";
import { createPostgresRelations } from "../stores/postgres/relations.ts";
import { createPostgresSessions } from "../stores/postgres/sessions.ts";
import { createPostgresUsers } from "../stores/postgres/users.ts";
import { connectRedis, type RedisClient } from "../stores/redis/connect.ts";
import { createRedisRateLimits } from "../stores/redis/rate-limits.ts";
import { RedisClock } from "../stores/redis/redis-clock.ts";
import { type RedisNode, startRedisNode } from "../stores/redis/redis-node.ts";
import { createRedisTyping } from "../stores/redis/typing.ts";
import { createS3MediaObjects } from "../stores/s3/media-objects.ts";
import type { Config } from "./config/config-schema.ts";
import type { StoreDeps, StoreSet } from "./context-types.ts";
import type { Queues } from "./metrics.ts";
import { cassandraOptions, kafkaSettings, postgresOptions, redisSettings, s3Options } from "./store-options.ts";

/**
 * Messages in Cassandra, accounts in PostgreSQL, media in S3, and in Redis what may be lost and what ties server
 * processes together. Rejects with StoreError when one of them cannot be used; then nothing is left open. What was opened
 * first is closed last. Kafka, which serves large groups and nothing else, may be away, unfit or not named at all (decision 36).
 */
export async function openClusterStores(config: Config, deps: StoreDeps): Promise<StoreSet> {
  const { clock, log, nodeId } = deps;
  const random = createSystemRandom();
  await using opened = new AsyncDisposableStack();
  const postgres = await connectPostgres(postgresOptions(config), log, clock);
  opened.defer(() => postgres.close());
  const cassandra = await connectCassandra(cassandraOptions(config), log);
  opened.defer(() => cassandra.close());
  const mediaObjects = createS3MediaObjects(s3Options(config), () => clock.nowMs());
  opened.defer(() => mediaObjects.close());
  const redis = await connectRedis(redisSettings(config), { log, random });
  opened.defer(() => redis.close());
  const redisFailed = createFailureLog(clock, (fields) => log.warn(fields, "Work on Redis failed"));
  const node = await startRedisNode(redis, {
    nodeId,
    presenceMode: config.redis.presence_mode,
    clock,
    random,
    onError: (error) => redisFailed(kindOf(error), () => ({ err: error })),
  });
  opened.defer(() => node.stop());
  const time = new RedisClock(redis, {
    clock,
    onSkew: (offset_ms) => log.warn({ offset_ms }, "The clock of this machine is wrong: compare it with that of Redis"),
    onError: (error) => log.warn({ err: error }, "Redis did not tell its time"),
  });
  opened.defer(() => time.stop());
  await time.start();
  const fanOut = await openFanOut(config, deps, opened);
  const closing = opened.move();
  return {
    log: createCassandraMessageLog(cassandra),
    lists: createCassandraConversationLists(cassandra),
    receipts: createCassandraReceipts(cassandra),
    groups: createPostgresGroups(postgres),
    users: createPostgresUsers(postgres),
    relations: createPostgresRelations(postgres),
    settings: createPostgresConversationSettings(postgres),
    fanOut,
    sessions: createPostgresSessions(postgres),
    mediaRows: createPostgresMediaRows(postgres),
    mediaObjects,
    mediaFiles: undefined,
    bus: node.bus,
    registry: node.registry,
    interest: node.interest,
    presence: node.presence,
    typing: createRedisTyping(redis),
    rateLimits: createRedisRateLimits(redis, { fallback: createMemoryRateLimits(), offsetMs: () => time.offsetMs }),
    lost: () =>
      Object.entries({
        cassandra: cassandra.lost(),
        postgres: postgres.lost(),
        redis: redis.lost() || !node.isListening(),
        "the name of this process": node.failure() !== undefined,
      }).flatMap(([name, isLost]) => (isLost ? [name] : [])),
    queues: () => queuesOf(cassandra, postgres, redis, node),
    close: () => closing.disposeAsync(),
  };
}

function queuesOf(cassandra: CassandraSession, postgres: Postgres, redis: RedisClient, node: RedisNode): Queues {
  const { inFlight, waiting } = cassandra.load();
  const { entries: bus, bytes } = node.waiting();
  const commands = redis.commands.commandQueue.length;
  return {
    entries: { cassandra: inFlight + waiting, postgres: postgres.load(), redis: commands, bus },
    bytes: { bus: bytes },
  };
}

async function openFanOut(
  config: Config,
  { clock, log }: StoreDeps,
  opened: AsyncDisposableStack,
): Promise<FanOutQueue> {
  if (config.kafka.brokers === "") {
    const queue = new NoFanOutQueue();
    log.info({ members_max: queue.membersMax }, "No Kafka is named (kafka.brokers): groups stay small");
    return queue;
  }
  const queue = await openKafkaFanOutQueue(kafkaSettings(config), { clock, log });
  opened.defer(() => queue.close());
  return queue;
}
