import { StoreError } from "../../base/store-error.ts";
import { connectPostgresAdmin } from "../../stores/postgres/connect-admin.ts";
import { postgresRoom } from "./postgres-room.ts";
import { clockFinding, ok, storeFinding, type Check, type Finding } from "./finding.ts";

export const postgresCheck: Check = {
  name: "postgres",
  async run({ config, nowMs }) {
    const { url, password, timeout_ms: timeoutMs } = config.postgres;
    try {
      const postgres = await connectPostgresAdmin({ url, password, applicationName: "msgr doctor", timeoutMs });
      try {
        const before = nowMs();
        const [row] = await postgres.query(askFacts);
        const facts = row as unknown as PostgresFacts;
        const findings = postgresFindings(facts, before, nowMs(), config.postgres.connections_max);
        return [...findings, ...(await postgresRoom(postgres))];
      } finally {
        await postgres.close();
      }
    } catch (error) {
      if (error instanceof StoreError) return [storeFinding(error)];
      throw error;
    }
  },
};

const askFacts = `
  SELECT current_setting('server_version') AS version,
         current_setting('transaction_read_only') AS read_only,
         current_setting('synchronous_commit') AS synchronous_commit,
         current_setting('fsync') AS fsync,
         current_setting('max_connections')::integer AS connections_max,
         floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms`;

interface PostgresFacts {
  readonly version: string;
  readonly read_only: string;
  readonly synchronous_commit: string;
  readonly fsync: string;
  readonly connections_max: number;
  readonly now_ms: number;
}

export function postgresFindings(
  facts: PostgresFacts,
  before: number,
  after: number,
  connectionsMax: number,
): readonly Finding[] {
  const check = "postgres";
  const findings: Finding[] = [ok(check, `PostgreSQL ${facts.version} answers`)];
  const add = (state: "warn" | "fail", message: string, fix: string): void =>
    void findings.push({ check, state, message, fix });
  if (facts.read_only === "on") add("fail", "it is read-only", "Point postgres.url at the primary.");
  if (facts.fsync !== "on") add("fail", "fsync is off: a crash loses accounts", "Set `fsync = on` in postgresql.conf.");
  if (facts.synchronous_commit === "off")
    add("fail", "synchronous_commit is off: a crash loses what was acknowledged", "Set `synchronous_commit = on`.");
  if (facts.connections_max <= connectionsMax)
    add(
      "warn",
      `it takes ${facts.connections_max} connections, and each server process may open ${connectionsMax}`,
      "Lower postgres.connections_max, or raise max_connections of PostgreSQL.",
    );
  return [...findings, clockFinding(check, facts.now_ms, before, after)];
}
