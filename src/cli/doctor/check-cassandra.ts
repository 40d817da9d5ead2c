import { StoreError } from "../../base/store-error.ts";
import { connectCassandraAdmin, type CassandraAdmin } from "../../stores/cassandra/connect-admin.ts";
import type { Config } from "../../server/config/config-schema.ts";
import { cassandraOptions } from "../../server/store-options.ts";
import { ok, storeFinding, type Check, type Finding } from "./finding.ts";

const statementTimeoutMs = 10_000;
/** The runner's lock has one row, of another name. */
const probeTable = "msgr_migration_lock";

export const cassandraCheck: Check = {
  name: "cassandra",
  async run({ config }) {
    const { contactPoints, datacenter, tls, username, password, timeoutMs } = cassandraOptions(config);
    const options = { contactPoints, datacenter, tls, username, password, timeoutMs, statementTimeoutMs };
    try {
      const cassandra = await connectCassandraAdmin(options);
      try {
        const findings = cassandraFindings(await askFacts(cassandra, config), config.cassandra);
        return [...findings, ...(await writeFindings(cassandra, config))];
      } finally {
        await cassandra.close();
      }
    } catch (error) {
      if (error instanceof StoreError) return [storeFinding(error)];
      throw error;
    }
  },
};

export interface CassandraFacts {
  readonly version: string;
  /** Data centre of the node that answered. */
  readonly datacenter: string;
  /** Replication of the keyspace; undefined = there is no such keyspace. */
  readonly replication: Readonly<Record<string, string>> | undefined;
  /** Nodes of the data centre, and which of them do not answer. */
  readonly nodes: number;
  readonly down: readonly string[];
  readonly schemaAgrees: boolean;
}

async function askFacts(cassandra: CassandraAdmin, { cassandra: settings }: Config): Promise<CassandraFacts> {
  const [local] = await cassandra.execute("SELECT release_version, data_center FROM system.local");
  const [keyspace] = await cassandra.execute(
    "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?",
    [settings.keyspace],
  );
  const nodes = await cassandra.nodes();
  return {
    version: String(local?.["release_version"]),
    datacenter: String(local?.["data_center"]),
    replication: keyspace?.["replication"] as Record<string, string> | undefined,
    nodes: nodes.length,
    down: nodes.filter(({ answers }) => !answers).map(({ address }) => address),
    schemaAgrees: await cassandra.schemaAgrees(),
  };
}

/** Reading works on where a node refuses to write; so one row is written, where no server looks, that is gone at once. */
async function writeFindings(
  cassandra: CassandraAdmin,
  { cassandra: { keyspace } }: Config,
): Promise<readonly Finding[]> {
  const find = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?";
  if ((await cassandra.execute(find, [keyspace, probeTable])).length === 0) return [];
  try {
    await cassandra.execute(
      `INSERT INTO ${keyspace}.${probeTable} (name, owner) VALUES ('doctor', 'doctor') USING TTL 1`,
    );
  } catch (error) {
    // This user need not be one who may migrate.
    if (error instanceof StoreError && error.kind !== "read_only") return [storeFinding(error)];
  }
  return [];
}

const downFix =
  "Start it (`msgr stack up --only cassandra` if it is of the stack), or remove it for good with `nodetool removenode`.";

/** With what it means where every node has a copy of everything. */
function downText({ down, nodes, replication }: CassandraFacts, { datacenter }: Config["cassandra"]): string {
  const text = `${down.join(", ")} ${down.length === 1 ? "does" : "do"} not answer`;
  const copies = Number(replication?.[datacenter] ?? 0);
  if (copies !== nodes) return text;
  return nodes - down.length > nodes / 2
    ? `${text}; messages go on, since most of the ${nodes} copies are there`
    : `${text}; messages are refused until most of the ${nodes} copies are there`;
}

export function cassandraFindings(facts: CassandraFacts, settings: Config["cassandra"]): readonly Finding[] {
  const check = "cassandra";
  const findings: Finding[] = [];
  const add = (state: "warn" | "fail", message: string, fix: string): void =>
    void findings.push({ check, state, message, fix });
  const nodes = facts.nodes === 1 ? "one node" : `${facts.nodes} nodes`;
  findings.push(ok(check, `Cassandra ${facts.version} answers, ${nodes} in ${facts.datacenter}`));
  if (facts.down.length > 0) add("fail", downText(facts, settings), downFix);
  if (!facts.schemaAgrees)
    add(
      "fail",
      "its nodes disagree about the schema",
      "Wait; if it stays, restart the node that `nodetool describecluster` names.",
    );
  if (facts.replication === undefined) return findings;
  const copies = Number(facts.replication[settings.datacenter] ?? 0);
  if (copies === 0) {
    const fix = `ALTER KEYSPACE ${settings.keyspace} WITH replication = {'class': 'NetworkTopologyStrategy', '${settings.datacenter}': ${settings.replication_factor}};`;
    add("fail", `keyspace ${settings.keyspace} has no copies in ${settings.datacenter}`, fix);
  } else if (copies > facts.nodes) {
    const fix = "Add nodes, or lower the replication of the keyspace, then run `nodetool repair`.";
    add("fail", `keyspace ${settings.keyspace} wants ${copies} copies on ${nodes}`, fix);
  } else if (copies < 3) {
    const message = `keyspace ${settings.keyspace} keeps ${copies === 1 ? "one copy" : `${copies} copies`}: the loss of a node stops the service`;
    add("warn", message, "For production: three nodes, and cassandra.replication_factor 3.");
  }
  return findings;
}
