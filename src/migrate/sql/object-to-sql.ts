import type { AlterTableCmd, AlterTableStmt, Constraint, Node } from "libpg-query";
import type { Objection } from "../lint/rules.ts";
import type { SqlNode } from "./scan.ts";

export interface SqlLintContext {
  readonly noTransaction: boolean;
  /** Made by the same file: nobody else uses them yet. */
  readonly newTables: ReadonlySet<string>;
}

/** The tables that statements make. */
export function tablesCreated(nodes: readonly SqlNode[]): ReadonlySet<string> {
  const names = nodes.flatMap((node) => {
    if ("CreateStmt" in node) return [node.CreateStmt.relation?.relname];
    return "CreateTableAsStmt" in node ? [node.CreateTableAsStmt.into?.rel?.relname] : [];
  });
  return new Set(names.filter((name) => name !== undefined));
}

/** What there is to say against one statement. */
export function objectToSql(node: SqlNode, context: SqlLintContext): readonly Objection[] {
  if ("IndexStmt" in node) return objectToIndex(node.IndexStmt, context);
  if ("AlterTableStmt" in node) return objectToAlter(node.AlterTableStmt, context);
  if ("RenameStmt" in node)
    return [{ rule: "rename", subject: node.RenameStmt.subname ?? node.RenameStmt.relation?.relname ?? "" }];
  if ("TransactionStmt" in node) return [{ rule: "transaction-control", subject: "transaction" }];
  if ("TruncateStmt" in node) return [{ rule: "truncate", subject: namesOf(node.TruncateStmt.relations) }];
  if ("VacuumStmt" in node || "ClusterStmt" in node) return [{ rule: "rewrite", subject: "table" }];
  if ("DropStmt" in node) return objectToDrop(node.DropStmt, context);
  if ("DropdbStmt" in node) return [{ rule: "drop", subject: node.DropdbStmt.dbname ?? "database" }];
  if ("CreateStmt" in node) {
    const { relation, if_not_exists: isContent } = node.CreateStmt;
    return whenRepeated(context, isContent, relation?.relname ?? "table");
  }
  if ("CreateTableAsStmt" in node) {
    const { if_not_exists: isContent, into } = node.CreateTableAsStmt;
    return whenRepeated(context, isContent, into?.rel?.relname ?? "table");
  }
  if ("CreateSeqStmt" in node) {
    const { if_not_exists: isContent, sequence } = node.CreateSeqStmt;
    return whenRepeated(context, isContent, sequence?.relname ?? "sequence");
  }
  return [];
}

/** Without a transaction a killed file runs again from its last statement. */
function whenRepeated({ noTransaction }: SqlLintContext, isContent: boolean | undefined, subject: string): Objection[] {
  return noTransaction && isContent !== true ? [{ rule: "missing-if-not-exists", subject }] : [];
}

function inTransaction(
  { noTransaction }: SqlLintContext,
  concurrent: boolean | undefined,
  subject: string,
): Objection[] {
  return !noTransaction && concurrent === true ? [{ rule: "concurrently-in-transaction", subject }] : [];
}

function objectToIndex(
  statement: Extract<SqlNode, { IndexStmt: unknown }>["IndexStmt"],
  context: SqlLintContext,
): Objection[] {
  const subject = statement.idxname ?? "index";
  const isOnOld = !context.newTables.has(statement.relation?.relname ?? "");
  return [
    ...(isOnOld && statement.concurrent !== true ? [{ rule: "index-not-concurrent", subject } as const] : []),
    ...inTransaction(context, statement.concurrent, subject),
    ...whenRepeated(context, statement.if_not_exists, subject),
  ];
}

function objectToDrop(
  statement: Extract<SqlNode, { DropStmt: unknown }>["DropStmt"],
  context: SqlLintContext,
): Objection[] {
  const subject = namesOf(statement.objects);
  return [
    { rule: "drop", subject },
    ...inTransaction(context, statement.concurrent, subject),
    ...whenRepeated(context, statement.missing_ok, subject),
  ];
}

function objectToAlter({ relation, cmds = [] }: AlterTableStmt, context: SqlLintContext): readonly Objection[] {
  const table = relation?.relname ?? "";
  return cmds.flatMap((node) => {
    if (!("AlterTableCmd" in node)) return [];
    const command = node.AlterTableCmd;
    const subject = command.name === undefined ? table : `${table}.${command.name}`;
    const repeated = (): Objection[] => whenRepeated(context, command.missing_ok, subject);
    if (command.subtype === "AT_DropColumn" || command.subtype === "AT_DropConstraint")
      return [{ rule: "drop", subject }, ...repeated()];
    return [
      ...(context.newTables.has(table) ? [] : objectToCommand(command, subject)),
      ...(command.subtype === "AT_AddColumn" ? repeated() : []),
    ];
  });
}

function objectToCommand({ subtype, def }: AlterTableCmd, subject: string): Objection[] {
  if (subtype === "AT_SetNotNull") return [{ rule: "set-not-null", subject }];
  if (subtype === "AT_AlterColumnType" || subtype === "AT_SetTableSpace") return [{ rule: "rewrite", subject }];
  if (subtype === "AT_SetLogged" || subtype === "AT_SetUnLogged" || subtype === "AT_SetAccessMethod")
    return [{ rule: "rewrite", subject }];
  if (subtype === "AT_AddConstraint" && def !== undefined && "Constraint" in def)
    return objectToConstraint(def.Constraint, subject);
  if (subtype === "AT_AddColumn" && def !== undefined && "ColumnDef" in def) {
    return objectToColumn(constraintsOf(def.ColumnDef.constraints), `${subject}.${def.ColumnDef.colname ?? ""}`);
  }
  return [];
}

const scanning = new Set<string | undefined>(["CONSTR_FOREIGN", "CONSTR_CHECK", "CONSTR_NOTNULL"]);
const indexing = new Set<string | undefined>(["CONSTR_PRIMARY", "CONSTR_UNIQUE", "CONSTR_EXCLUSION"]);

function objectToConstraint(
  { contype, skip_validation: isNotValid, indexname, conname }: Constraint,
  table: string,
): Objection[] {
  const subject = conname ?? table;
  if (scanning.has(contype) && isNotValid !== true) return [{ rule: "constraint-validated", subject }];
  return indexing.has(contype) && indexname === undefined ? [{ rule: "constraint-builds-index", subject }] : [];
}

/** A column that is added to rows that are there: a constant default costs nothing, everything else looks at each row. */
function objectToColumn(constraints: readonly Constraint[], subject: string): Objection[] {
  const types = new Set(constraints.map(({ contype }) => contype));
  const fallback = constraints.find(({ contype }) => contype === "CONSTR_DEFAULT");
  const found: Objection[] = [];
  const isRewritten = types.has("CONSTR_GENERATED") || types.has("CONSTR_IDENTITY");
  if (isRewritten || (fallback?.raw_expr !== undefined && callsFunction(fallback.raw_expr)))
    found.push({ rule: "rewrite", subject });
  if (types.has("CONSTR_NOTNULL") && fallback === undefined && !isRewritten)
    found.push({ rule: "not-null-without-default", subject });
  if (types.has("CONSTR_FOREIGN") || types.has("CONSTR_CHECK")) found.push({ rule: "constraint-validated", subject });
  if (types.has("CONSTR_UNIQUE") || types.has("CONSTR_PRIMARY"))
    found.push({ rule: "constraint-builds-index", subject });
  return found;
}

/** now() and its kin are evaluated once; any other function may be volatile and then makes a rewrite. */
function callsFunction(expression: Node): boolean {
  const stable =
    /"FuncCall":\{"funcname":\[(?:\{"String":\{"sval":"pg_catalog"\}\},)?\{"String":\{"sval":"(?:now|transaction_timestamp|statement_timestamp)"/g;
  return JSON.stringify(expression).replaceAll(stable, "").includes('"FuncCall"');
}

function constraintsOf(nodes: readonly Node[] = []): readonly Constraint[] {
  return nodes.flatMap((node) => ("Constraint" in node ? [node.Constraint] : []));
}

/** `a, b` of a list of names, however the parser wraps them. */
function namesOf(nodes: readonly Node[] = []): string {
  return nodes
    .map((node) =>
      [...JSON.stringify(node).matchAll(/"(?:sval|relname)":"([^"]*)"/g)].map(([, name]) => name).join("."),
    )
    .join(", ");
}
