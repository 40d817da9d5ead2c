import type { PostgresAdmin } from "../../stores/postgres/connect-admin.ts";

/** Each answers `name` and `definition` of the objects of one sort, and `owner`: the table they belong to. */
const catalog: readonly (readonly [what: string, query: string])[] = [
  [
    "table",
    `SELECT c.oid::regclass::text AS name, c.relname AS owner,
       concat_ws(' ', c.relkind, c.relpersistence, array_to_string(c.reloptions, ','), pg_get_partkeydef(c.oid)) AS definition
     FROM pg_class c WHERE c.relkind IN ('r', 'p') AND ${ours("c.relnamespace")}`,
  ],
  [
    "column",
    `SELECT c.oid::regclass::text || '.' || a.attname AS name, c.relname AS owner,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
         'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, ''), nullif(a.attgenerated, '')) AS definition
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND ${ours("c.relnamespace")}`,
  ],
  [
    "index",
    `SELECT i.indexrelid::regclass::text AS name, t.relname AS owner,
       pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END AS definition
     FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE t.relkind IN ('r', 'p', 'm') AND ${ours("t.relnamespace")}`,
  ],
  [
    "constraint",
    `SELECT t.oid::regclass::text || '.' || c.conname AS name, t.relname AS owner, pg_get_constraintdef(c.oid) AS definition
     FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid WHERE ${ours("t.relnamespace")}`,
  ],
  [
    "trigger",
    `SELECT t.oid::regclass::text || '.' || g.tgname AS name, t.relname AS owner, pg_get_triggerdef(g.oid) AS definition
     FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid WHERE NOT g.tgisinternal AND ${ours("t.relnamespace")}`,
  ],
  [
    "view",
    `SELECT c.oid::regclass::text AS name, c.relname AS owner, c.relkind::text || ' ' || pg_get_viewdef(c.oid) AS definition
     FROM pg_class c WHERE c.relkind IN ('v', 'm') AND ${ours("c.relnamespace")}`,
  ],
  [
    "function",
    `SELECT p.oid::regprocedure::text AS name, '' AS owner, pg_get_functiondef(p.oid) AS definition
     FROM pg_proc p WHERE p.prokind IN ('f', 'p') AND ${ours("p.pronamespace")} AND ${notOfExtension("pg_proc", "p.oid")}`,
  ],
  [
    "type",
    `SELECT t.oid::regtype::text AS name, '' AS owner,
       concat_ws(' ', t.typtype, (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
         CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END) AS definition
     FROM pg_type t WHERE t.typtype IN ('e', 'd', 'r') AND ${ours("t.typnamespace")} AND ${notOfExtension("pg_type", "t.oid")}`,
  ],
  [
    "sequence",
    `SELECT c.oid::regclass::text AS name, c.relname AS owner,
       concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcycle) AS definition
     FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE ${ours("c.relnamespace")}`,
  ],
  ["extension", `SELECT extname AS name, '' AS owner, '' AS definition FROM pg_extension WHERE extname <> 'plpgsql'`],
];

function ours(namespace: string): string {
  return `${namespace} IN (SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema')`;
}

function notOfExtension(table: string, oid: string): string {
  return `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${table}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;
}

/** `table users` → its settings, `column users.handle` → its type, …, as PostgreSQL writes them. */
export async function describeDatabase(
  admin: PostgresAdmin,
  without: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const described = new Map<string, string>();
  for (const [what, query] of catalog) {
    for (const row of await admin.query(query)) {
      if (!without.has(String(row["owner"])))
        described.set(`${what} ${String(row["name"])}`, String(row["definition"]));
    }
  }
  return described;
}
