import type { CassandraAdmin, CassandraRow } from "../../stores/cassandra/connect-admin.ts";

/** The tables that describe a keyspace, what their rows are called, and the columns that name an object. */
const catalog: readonly (readonly [what: string, table: string, names: readonly string[]])[] = [
  ["table", "tables", ["table_name"]],
  ["column", "columns", ["table_name", "column_name"]],
  ["index", "indexes", ["table_name", "index_name"]],
  ["view", "views", ["view_name"]],
  ["type", "types", ["type_name"]],
  ["function", "functions", ["function_name", "argument_types"]],
  ["aggregate", "aggregates", ["aggregate_name", "argument_types"]],
  ["trigger", "triggers", ["table_name", "trigger_name"]],
];

/** Differ between two keyspaces of one schema. */
const local: ReadonlySet<string> = new Set(["keyspace_name", "id", "base_table_id"]);

/** `table messages` → its settings, `column messages.seq` → its type and place in the key, …; names of the keyspace left out. */
export async function describeKeyspace(
  admin: CassandraAdmin,
  keyspace: string,
  without: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const described = new Map<string, string>();
  for (const [what, table, names] of catalog) {
    const rows = await admin.execute(`SELECT * FROM system_schema.${table} WHERE keyspace_name = ?`, [keyspace]);
    for (const row of rows) {
      if (without.has(String(row["table_name"]))) continue;
      const name = names.map((column) => String(row[column])).join(".");
      described.set(`${what} ${name}`, definitionOf(row, names).replaceAll(keyspace, ""));
    }
  }
  return described;
}

function definitionOf(row: CassandraRow, names: readonly string[]): string {
  return Object.entries(row)
    .filter(([column, value]) => value !== null && !local.has(column) && !names.includes(column))
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([column, value]) => `${column} ${JSON.stringify(value)}`)
    .join(", ");
}
