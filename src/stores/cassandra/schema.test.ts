import { describe, expect, test } from "vitest";
import { schemaGap, tables, type ColumnDescription } from "./schema.ts";

const complete: readonly ColumnDescription[] = Object.entries(tables).flatMap(([table_name, columns]) =>
  Object.entries(columns).map(([column_name, type]) => ({ table_name, column_name, type })),
);

describe("what a keyspace lacks", () => {
  test("is nothing when every column is there, and others do no harm", () => {
    expect(schemaGap(complete)).toBeUndefined();
    expect(schemaGap([...complete, { table_name: "messages", column_name: "later", type: "text" }])).toBeUndefined();
  });

  test("is named: a table, a column, a type", () => {
    expect(schemaGap(complete.filter(({ table_name }) => table_name !== "receipts"))).toBe("no table receipts");
    expect(schemaGap(complete.filter(({ column_name }) => column_name !== "membership_seq"))).toBe(
      "no column membership_seq in table conversations_by_user",
    );
    const changed = complete.map((column) =>
      column.column_name === "head_at" ? { ...column, type: "bigint" } : column,
    );
    expect(schemaGap(changed)).toBe("messages.head_at of type bigint instead of timestamp");
  });
});
