import { afterAll, beforeAll } from "vitest";
import { environmentName, settings, settingValue, type Config } from "../../src/server/config/config-schema.ts";
import { connectRedis, type RedisClient } from "../../src/stores/redis/connect.ts";
import { dropCassandra, dropPostgres, prepareCassandra, preparePostgres } from "./migrated-stores.ts";
import { realStoreConfig } from "./real-stores.ts";
import { keysOf } from "./redis-time.ts";
import { startServer, temporaryFolder, type ServerProcess } from "./server-process.ts";

/** Server processes of the cluster profile on stores of a test file's own. */
export interface ClusterServers {
  readonly config: Config;
  /** The settings of the stores as variables of an environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** On the Redis of these servers; open from `beforeAll` to `afterAll`. */
  readonly redis: () => RedisClient;
  /** `msgr serve --profile cluster` on a free port; ended after the tests, if it has not been by then. */
  start(options?: {
    readonly set?: Readonly<Record<string, string | number>>;
    readonly flags?: readonly string[];
  }): Promise<ServerProcess>;
}

/** Stores share the cores with the tests: none of them is down because it is slow. */
const patientStores = { "cassandra.timeout_ms": 20_000, "postgres.timeout_ms": 20_000, "redis.timeout_ms": 10_000 };

/** What every suite of several processes stands on. `overrides`: of the configuration, such as another `redis.url`. */
export function ownClusterServers(overrides: Readonly<Record<string, string | number>> = {}): ClusterServers {
  const config = realStoreConfig({ ...patientStores, ...overrides });
  const variables = variablesOf(config);
  const folder = temporaryFolder();
  const started: ServerProcess[] = [];
  let redis: RedisClient | undefined;
  beforeAll(async () => {
    await Promise.all([prepareCassandra(config), preparePostgres(config)]);
    const { url, password, key_prefix: keyPrefix, timeout_ms: timeoutMs } = config.redis;
    redis = await connectRedis({ url, password, keyPrefix, timeoutMs });
  }, 180_000);
  afterAll(async () => {
    await Promise.all(started.map((server) => server[Symbol.asyncDispose]()));
    await Promise.all([dropCassandra(config), dropPostgres(config)]);
    folder[Symbol.dispose]();
    if (redis === undefined) return;
    const keys = redis.lost() ? [] : await keysOf(redis.commands, config.redis.key_prefix);
    if (keys.length > 0) await redis.commands.del(...keys);
    redis.close();
  }, 180_000);
  return {
    config,
    variables,
    redis: () => redis as RedisClient,
    async start({ set = {}, flags = [] } = {}) {
      const words = ["--profile", "cluster", ...flags];
      const server = await startServer(`${folder.path}/${started.length}`, { set, flags: words, variables });
      started.push(server);
      return server;
    },
  };
}

/** The settings of the stores as variables of an environment. */
export function variablesOf(config: Config): Record<string, string> {
  const entries = settings.flatMap(({ path }) => {
    const value = settingValue(config, path);
    const isText = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
    return isText && value !== "" && /^(?:cassandra|postgres|redis|s3|kafka)\./.test(path)
      ? [[environmentName(path), String(value)] as const]
      : [];
  });
  return Object.fromEntries(entries);
}
