import cassandra from "cassandra-driver";
import { StoreError } from "../../base/store-error.ts";
import { cassandraAdminError, explainRefusal } from "./admin-error.ts";
import { askNodes, type NodeAnswer } from "./ask-nodes.ts";
import { contactOptions } from "./contact-options.ts";
import { tlsOptions } from "./tls-options.ts";

export interface CassandraAdminOptions {
  /** host:port, separated by commas. */
  readonly contactPoints: string;
  readonly datacenter: string;
  /** Where unqualified names are looked for; it has to exist. */
  readonly keyspace?: string;
  /** In the clear otherwise. */
  readonly tls: boolean;
  /** Empty = no log-in. */
  readonly username: string;
  readonly password: string | undefined;
  /** Bound on connecting, [100, 60 000] ms. */
  readonly timeoutMs: number;
  /** Bound on a statement; schema changes take longer than queries. */
  readonly statementTimeoutMs: number;
}

export type CassandraRow = Readonly<Record<string, unknown>>;

/** One client for administration: every statement goes to one and the same node, at QUORUM and SERIAL. */
export interface CassandraAdmin {
  readonly keyspace: string | undefined;
  /** Runs one statement; with `params` it is prepared. `serial`: a read that sees every decided conditional write. */
  execute(
    cql: string,
    params?: readonly unknown[],
    options?: { readonly serial?: boolean; readonly timeoutMs?: number },
  ): Promise<readonly CassandraRow[]>;
  /** The nodes of the data centre, by address, and which of them answer. */
  nodes(): Promise<readonly NodeAnswer[]>;
  /** Whether all nodes that are up have the same schema now. */
  schemaAgrees(): Promise<boolean>;
  /** Twice does no harm. */
  close(): Promise<void>;
}

/** UnifiedCompactionStrategy and the storage format of the schema came with it. */
const majorVersionMin = 5;

/** Throws StoreError: unreachable, wrong_password, untrusted, wrong_transport, missing_database, wrong_version. */
export async function connectCassandraAdmin(options: CassandraAdminOptions): Promise<CassandraAdmin> {
  const client = new cassandra.Client({
    ...contactOptions(options.contactPoints),
    localDataCenter: options.datacenter,
    ...(options.tls ? { sslOptions: tlsOptions(options.contactPoints) } : {}),
    ...(options.keyspace === undefined ? {} : { keyspace: options.keyspace }),
    ...(options.username === ""
      ? {}
      : { credentials: { username: options.username, password: options.password ?? "" } }),
    isMetadataSyncEnabled: false,
    encoding: { useBigIntAsLong: true },
    pooling: { coreConnectionsPerHost: { "0": 1, "1": 1, "2": 0 } },
    // A node that accepts and says nothing is given up as fast as one that is not there; statements have their own bound.
    socketOptions: { connectTimeout: options.timeoutMs, readTimeout: options.timeoutMs },
    policies: { reconnection: new cassandra.policies.reconnection.ConstantReconnectionPolicy(1_000) },
  });
  const translate = (cause: unknown): StoreError => cassandraAdminError(cause, options);
  try {
    await client.connect();
    const admin = adminOf(client, options, translate);
    await refuseOldVersion(admin);
    return admin;
  } catch (cause) {
    await client.shutdown().catch(() => undefined);
    throw await explainRefusal(translate(cause), options);
  }
}

function adminOf(
  client: cassandra.Client,
  options: CassandraAdminOptions,
  translate: (cause: unknown) => StoreError,
): CassandraAdmin {
  const { consistencies } = cassandra.types;
  // Two first runs that create a table through two nodes leave two tables of one name; through one node they queue up.
  const host = coordinatorOf(client, options.datacenter);
  const execute: CassandraAdmin["execute"] = async (
    cql,
    params,
    { serial = false, timeoutMs = options.statementTimeoutMs } = {},
  ) => {
    try {
      const result: { readonly rows?: readonly CassandraRow[] } = await client.execute(
        cql,
        params === undefined ? undefined : [...params],
        {
          prepare: params !== undefined,
          consistency: serial ? consistencies.serial : consistencies.quorum,
          serialConsistency: consistencies.serial,
          readTimeout: timeoutMs,
          ...(host === undefined ? {} : { host }),
        },
      );
      // Schema changes answer without rows.
      return result.rows ?? [];
    } catch (cause) {
      throw translate(cause);
    }
  };
  return {
    keyspace: options.keyspace,
    execute,
    nodes: () => askNodes(client, options.datacenter, options.timeoutMs),
    async schemaAgrees() {
      const [local, peers] = await Promise.all([
        execute("SELECT schema_version FROM system.local"),
        execute("SELECT peer, rpc_address, schema_version FROM system.peers"),
      ]);
      // A node that is down learns the schema when it comes back; waiting for it would let one node stop every change.
      const down = new Set(client.hosts.values().flatMap((node) => (node.isUp() ? [] : [addressOf(node)])));
      const awaited = peers.filter((row) => !down.has(String(row["rpc_address"])) && !down.has(String(row["peer"])));
      return new Set([...local, ...awaited].map((row) => String(row["schema_version"]))).size === 1;
    },
    async close() {
      await client.shutdown().catch(() => undefined);
    },
  };
}

const addressOf = ({ address }: cassandra.Host): string => address.replace(/:\d+$/, "");

/** The node of the data centre with the lowest address of those that are up: the same for everybody who looks. */
function coordinatorOf(client: cassandra.Client, datacenter: string): cassandra.Host | undefined {
  return client.hosts
    .values()
    .filter((host) => host.isUp() && host.datacenter === datacenter)
    .toSorted((one, other) => (one.address < other.address ? -1 : 1))[0];
}

async function refuseOldVersion(admin: CassandraAdmin): Promise<void> {
  const [row] = await admin.execute("SELECT release_version FROM system.local");
  const version = String(row?.["release_version"]);
  if (Number.parseInt(version, 10) >= majorVersionMin) return;
  throw new StoreError(
    "cassandra",
    "wrong_version",
    `This is Cassandra ${version}; ${majorVersionMin} or later is needed.`,
    "Upgrade the nodes, or set cassandra.contact_points to others.",
  );
}
