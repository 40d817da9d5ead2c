import { createHash } from "node:crypto";

/**
 * The text that a checksum is made of: what editors and git change on their own does not count. No byte order mark, line
 * breaks are \n, no blanks at the end of a line, exactly one \n at the end. Idempotent.
 */
export function normaliseText(text: string): string {
  const lines = text
    .replace(/^\uFEFF/, "")
    .replaceAll(/\r\n?/g, "\n")
    .split("\n")
    .map((line) => line.replace(/[ \t]+$/, ""));
  return `${lines.join("\n").replace(/\n+$/, "")}\n`;
}

/** SHA-256, hexadecimal. */
export function checksumOf(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
