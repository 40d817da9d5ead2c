import { expect, test } from "vitest";
import { RecentRows } from "./recent-rows.ts";

test("what is in use stays, what is not goes, and there are never more than the bound", () => {
  const rows = new RecentRows(10);
  rows.set("used", 0);
  for (let count = 1; count <= 100; count++) {
    rows.set(`row ${count}`, count);
    expect(rows.get("used")).toBe(0);
    expect(rows.get(`row ${count}`)).toBe(count);
  }
  const kept = Array.from({ length: 100 }, (_, index) => rows.get(`row ${index + 1}`)).filter(
    (row) => row !== undefined,
  );
  expect(kept.length).toBeGreaterThanOrEqual(4);
  expect(kept.length).toBeLessThanOrEqual(10);
});

test("a row is what it was set to last, and gone once deleted, wherever it lies", () => {
  const rows = new RecentRows(4);
  rows.set("row", "old");
  rows.set("a", 1);
  rows.set("b", 2);
  rows.set("row", "new");
  expect(rows.get("row")).toBe("new");
  rows.delete("row");
  expect(rows.get("row")).toBeUndefined();
});
