import { openEnvironment } from "../../../src/stores/lmdb/open-environment.ts";

// Owns a folder until it is killed, or says why it may not.
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: owner.ts FOLDER");
try {
  await openEnvironment(folder);
  process.stdout.write("owner\n");
  setInterval(() => undefined, 60_000);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
