import { lockFolder } from "./files/folder-lock.ts";
import type { StackTools } from "./run-context.ts";
import { folderError, StackError } from "./stack-error.ts";

/** A start that has to download takes minutes; whoever waits for one that long can be told instead. */
const lockWithinMs = 120_000;

/** Does the work while no other command works on the folder. */
export async function withFolderLock<Result>(
  directory: string,
  tools: Pick<StackTools, "sleep" | "signal" | "reporter">,
  work: () => Promise<Result>,
): Promise<Result> {
  let lock;
  try {
    lock = await lockFolder(directory, {
      waitMs: lockWithinMs,
      sleep: tools.sleep,
      signal: tools.signal,
      onWait: ({ pid }) => tools.reporter.note(`process ${pid} works on ${directory}: waiting for it`),
    });
  } catch (error) {
    throw folderError(error, directory);
  }
  if ("holder" in lock) {
    const { pid } = lock.holder;
    const fix = `Wait for it to end (\`ps -p ${pid}\`), or name another folder with --directory.`;
    throw new StackError("locked", `Process ${pid} works on ${directory}.`, fix);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
