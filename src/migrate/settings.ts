import type { Clock } from "../base/clock.ts";

/** What the runner needs of a server's configuration; the whole configuration fits. */
export interface MigrateSettings {
  readonly cassandra: {
    readonly contact_points: string;
    readonly datacenter: string;
    readonly keyspace: string;
    readonly replication_factor: number;
    readonly tls: boolean;
    readonly username: string;
    readonly password?: string | undefined;
    readonly timeout_ms: number;
  };
  readonly postgres: {
    readonly url: string;
    readonly password?: string | undefined;
    readonly timeout_ms: number;
  };
}

/** Who runs, and by which time. */
export interface Runner {
  /** `user@host/pid`: what the journal and whoever waits for the lock get to read. */
  readonly name: string;
  readonly clock: Clock;
}

/** Bounds of the runner, in milliseconds. */
export const migrateLimits = {
  /** Of one statement, unless its file says `-- msgr: timeout`. */
  statementTimeoutMs: 60_000,
  /** Of the wait for a table lock in PostgreSQL: a migration that queues there makes every query behind it queue. */
  tableLockTimeoutMs: 5_000,
  schemaAgreementTimeoutMs: 60_000,
  /** Life of the lock row in Cassandra without a heartbeat. */
  lockTtlMs: 60_000,
  /** How long `up` waits for another runner: longer than the lock of a killed one lives. */
  lockTimeoutMs: 90_000,
  pollIntervalMs: 200,
} as const;
