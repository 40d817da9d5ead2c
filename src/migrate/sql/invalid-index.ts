import type { PostgresAdmin } from "../../stores/postgres/connect-admin.ts";
import { parseSql } from "./scan.ts";

/**
 * CREATE INDEX CONCURRENTLY that was killed leaves an index that is written but never read; IF NOT EXISTS would then be
 * content with it. Before such a statement runs (again), what is left of it is dropped.
 */
export async function dropInvalidIndex(admin: PostgresAdmin, statement: string): Promise<void> {
  const [node] = parseSql(`${statement};`).nodes;
  if (node === undefined || !("IndexStmt" in node)) return;
  const { idxname, concurrent, relation } = node.IndexStmt;
  if (idxname === undefined || concurrent !== true) return;
  const rows = await admin.query(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name
     FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE NOT i.indisvalid AND c.relname = $1 AND n.nspname = coalesce($2, current_schema())`,
    [idxname, relation?.schemaname ?? null],
  );
  for (const row of rows) await admin.query(`DROP INDEX CONCURRENTLY IF EXISTS ${String(row["name"])}`);
}
