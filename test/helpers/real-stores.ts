import { randomBytes } from "node:crypto";
import { describe } from "vitest";
import { configSchema, type Config } from "../../src/server/config/config-schema.ts";
import { readStackFile } from "../../src/stack/stack-file.ts";

/**
 * The real stores that tests run on. `npm test` starts them and names their folder in MSGR_TEST_STACK; a test run without
 * it has none. Suites that need a store say so with `describeOn`, and the test runner counts what was left out.
 */
export type RealStore = "cassandra" | "postgres" | "redis" | "s3" | "kafka";

const testedBy: Readonly<Record<RealStore, string>> = {
  cassandra: "cassandra.contact_points",
  postgres: "postgres.url",
  redis: "redis.url",
  s3: "s3.endpoint",
  kafka: "kafka.brokers",
};

const stack = readStackFile(process.env["MSGR_TEST_STACK"] ?? "/nonexistent");

function hasStore(store: RealStore): boolean {
  return stack?.settings[testedBy[store]] !== undefined;
}

/** A suite for which every one of the stores must be there. */
export function describeOn(stores: readonly RealStore[], name: string, suite: () => void): void {
  const missing = stores.filter((store) => !hasStore(store));
  // The runner says what is not there, and counts it.
  describe.skipIf(missing.length > 0)(
    `${name}${missing.length === 0 ? "" : ` (left out: no ${missing.join(", ")})`}`,
    () => {
      suite();
    },
  );
}

/** A configuration of the cluster profile on those stores, with names of its own for everything that can be shared. */
export function realStoreConfig(overrides: Readonly<Record<string, string | number | boolean>> = {}): Config {
  const own = `t_${randomBytes(6).toString("hex")}`;
  const raw: Record<string, Record<string, unknown>> = {};
  for (const section of Object.keys(configSchema.shape)) if (section !== "profile") raw[section] = {};
  const settings = {
    ...stack?.settings,
    "cassandra.keyspace": own,
    "redis.key_prefix": `${own}:`,
    "kafka.topic_prefix": `${own}.`,
    "kafka.replication_factor": 1,
    ...overrides,
  };
  for (const [path, value] of Object.entries(settings)) {
    const [section, key] = path.split(".") as [string, string];
    (raw[section] as Record<string, unknown>)[key] = value;
  }
  const config = configSchema.parse({ ...raw, profile: "cluster" });
  const url = new URL(config.postgres.url);
  url.pathname = `/${own}`;
  return {
    ...config,
    postgres: { ...config.postgres, url: overrides["postgres.url"] === undefined ? url.href : config.postgres.url },
  };
}
