import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { SourceFile } from "./findings.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const foldersLeftOut = new Set([".git", "node_modules", "dist", "coverage", "results"]);
const textFile = /\.(?:ts|tsx|js|mjs|json|yaml|yml|md|cql|sql|lua|sh|css|html|service|env|txt)$|^[^.]+$|^\.[^.]+$/;
const fileBytesMax = 2_000_000;

function* walk(folder: string): Generator<string> {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const file = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory() && !foldersLeftOut.has(entry.name)) yield* walk(file);
    if (entry.isFile() && textFile.test(entry.name)) yield file;
  }
}

/** Every text file of the checkout: what people wrote, and what the repository carries. */
export function readRepository(): SourceFile[] {
  return [...walk("")].filter((file) => statSync(path.join(root, file)).size <= fileBytesMax).map(readRepositoryFile);
}

/** One file of the checkout; throws when it is missing, for a check of nothing would pass. */
export function readRepositoryFile(file: string): SourceFile {
  return { path: file, text: readFileSync(path.join(root, file), "utf8") };
}
