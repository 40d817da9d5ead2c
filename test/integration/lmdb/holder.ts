import { open } from "lmdb";

// Keeps the database's write lock for a while, as a disk that does not answer would keep a commit.
const [folder, holdMs] = process.argv.slice(2);
if (folder === undefined || holdMs === undefined) throw new Error("usage: holder.ts FOLDER MS");
const root = open({ path: folder, noSubdir: false, overlappingSync: false });
root.transactionSync(() => {
  // stdout is a pipe: written before the wait begins.
  process.stdout.write("held\n");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(holdMs));
});
await root.close();
