/**
 * The real stores that a run uses: where they are and how to get in. Holds secrets, so it travels in environments and
 * between processes, never in an argument, a log or a result.
 */
export interface StoreAccess {
  /** The same as settings of `msgr serve`: variable → value. */
  readonly environment: Readonly<Record<string, string>>;
  readonly cassandra: CassandraAccess;
  readonly postgres: PostgresAccess;
  readonly redis: RedisAccess;
  /** Processes of `msgr stack` on this machine; empty when the stores are somebody else's. */
  readonly processes: readonly StoreProcess[];
}

export interface CassandraAccess {
  /** host:port, separated by commas. */
  readonly contactPoints: string;
  readonly datacenter: string;
  readonly keyspace: string;
  readonly tls: boolean;
  /** Empty = no log-in. */
  readonly username: string;
  readonly password: string | undefined;
  readonly inFlightMax: number;
  readonly timeoutMs: number;
}

export interface PostgresAccess {
  /** Without a password. */
  readonly url: string;
  readonly password: string | undefined;
  readonly timeoutMs: number;
}

export interface RedisAccess {
  /** Without a password. */
  readonly url: string;
  readonly password: string | undefined;
  readonly keyPrefix: string;
  readonly timeoutMs: number;
}

export interface StoreProcess {
  readonly name: string;
  readonly pid: number;
  readonly version: string;
  readonly address: string;
}
