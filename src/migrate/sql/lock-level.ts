import type { AlterTableCmd } from "libpg-query";
import type { SqlNode } from "./scan.ts";

/** Table locks of PostgreSQL from the weakest to the strongest (documentation, 13.3); NONE = no table that was there before. */
export const lockLevels = [
  "NONE",
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
] as const;
export type LockLevel = (typeof lockLevels)[number];

const levelsByNode: Readonly<Record<string, LockLevel>> = {
  SelectStmt: "ACCESS SHARE",
  InsertStmt: "ROW EXCLUSIVE",
  UpdateStmt: "ROW EXCLUSIVE",
  DeleteStmt: "ROW EXCLUSIVE",
  MergeStmt: "ROW EXCLUSIVE",
  CommentStmt: "SHARE UPDATE EXCLUSIVE",
  VacuumStmt: "ACCESS EXCLUSIVE",
  CreateTrigStmt: "SHARE ROW EXCLUSIVE",
  TruncateStmt: "ACCESS EXCLUSIVE",
  RenameStmt: "ACCESS EXCLUSIVE",
  ClusterStmt: "ACCESS EXCLUSIVE",
  ReindexStmt: "ACCESS EXCLUSIVE",
  RuleStmt: "ACCESS EXCLUSIVE",
  CreatePolicyStmt: "ACCESS EXCLUSIVE",
  AlterPolicyStmt: "ACCESS EXCLUSIVE",
  AlterObjectSchemaStmt: "ACCESS EXCLUSIVE",
  LockStmt: "ACCESS EXCLUSIVE",
};

const levelsByCommand: Readonly<Partial<Record<NonNullable<AlterTableCmd["subtype"]>, LockLevel>>> = {
  AT_ValidateConstraint: "SHARE UPDATE EXCLUSIVE",
  AT_SetStatistics: "SHARE UPDATE EXCLUSIVE",
  AT_SetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ResetOptions: "SHARE UPDATE EXCLUSIVE",
  AT_SetRelOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ResetRelOptions: "SHARE UPDATE EXCLUSIVE",
  AT_ClusterOn: "SHARE UPDATE EXCLUSIVE",
  AT_DropCluster: "SHARE UPDATE EXCLUSIVE",
  AT_AttachPartition: "SHARE UPDATE EXCLUSIVE",
  AT_EnableTrig: "SHARE ROW EXCLUSIVE",
  AT_DisableTrig: "SHARE ROW EXCLUSIVE",
  AT_EnableTrigAll: "SHARE ROW EXCLUSIVE",
  AT_DisableTrigAll: "SHARE ROW EXCLUSIVE",
};

/** The strongest lock that a statement takes on a table which others may be using; what the same file made counts not. */
export function lockLevelOf(node: SqlNode, newTables: ReadonlySet<string>): LockLevel {
  const isNew = (table: string | undefined): boolean => newTables.has(table ?? "");
  if ("IndexStmt" in node) {
    if (isNew(node.IndexStmt.relation?.relname)) return "NONE";
    return node.IndexStmt.concurrent === true ? "SHARE UPDATE EXCLUSIVE" : "SHARE";
  }
  if ("DropStmt" in node) return node.DropStmt.concurrent === true ? "SHARE UPDATE EXCLUSIVE" : "ACCESS EXCLUSIVE";
  if ("CreateStmt" in node) {
    // A foreign key puts triggers on the table that it refers to.
    const referenced = [...JSON.stringify(node).matchAll(/"pktable":\{(?:"schemaname":"[^"]*",)?"relname":"([^"]*)"/g)];
    return referenced.some(([, table]) => !isNew(table)) ? "SHARE ROW EXCLUSIVE" : "NONE";
  }
  if ("AlterTableStmt" in node) {
    if (isNew(node.AlterTableStmt.relation?.relname)) return "NONE";
    return strongest(
      (node.AlterTableStmt.cmds ?? []).map((command) =>
        "AlterTableCmd" in command ? levelOf(command.AlterTableCmd) : "NONE",
      ),
    );
  }
  if ("RefreshMatViewStmt" in node)
    return node.RefreshMatViewStmt.concurrent === true ? "EXCLUSIVE" : "ACCESS EXCLUSIVE";
  const [name = ""] = Object.keys(node);
  return levelsByNode[name] ?? "NONE";
}

function levelOf({ subtype, def }: AlterTableCmd): LockLevel {
  const isForeignKey = def !== undefined && "Constraint" in def && def.Constraint.contype === "CONSTR_FOREIGN";
  if (subtype === "AT_AddConstraint" && isForeignKey) return "SHARE ROW EXCLUSIVE";
  return (subtype === undefined ? undefined : levelsByCommand[subtype]) ?? "ACCESS EXCLUSIVE";
}

function strongest(levels: readonly LockLevel[]): LockLevel {
  return lockLevels[Math.max(0, ...levels.map((level) => lockLevels.indexOf(level)))] ?? "NONE";
}

/** Whether data is lost by it. */
export function destroysSql(node: SqlNode): boolean {
  if ("TruncateStmt" in node || "DeleteStmt" in node || "DropdbStmt" in node) return true;
  if ("DropStmt" in node) {
    const lossless = [
      "OBJECT_INDEX",
      "OBJECT_VIEW",
      "OBJECT_FUNCTION",
      "OBJECT_TRIGGER",
      "OBJECT_POLICY",
      "OBJECT_RULE",
    ];
    return !lossless.includes(node.DropStmt.removeType ?? "");
  }
  if (!("AlterTableStmt" in node)) return false;
  return (node.AlterTableStmt.cmds ?? []).some(
    (command) => "AlterTableCmd" in command && command.AlterTableCmd.subtype === "AT_DropColumn",
  );
}
