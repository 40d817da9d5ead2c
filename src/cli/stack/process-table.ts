import { z } from "zod";

export const processDocument = z.object({
  name: z.string(),
  version: z.string(),
  pid: z.int(),
  address: z.string(),
  log: z.string(),
});

/** Rows under a head, in columns as wide as they have to be. */
export function columnsOf(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
