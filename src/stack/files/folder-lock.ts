import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { livenessOf, ownIdentity, type ProcessIdentity } from "../../base/process-identity.ts";

/**
 * One command at a time works on a folder. The lock is the file `lock.<n>` with the highest n, and it names its holder.
 *
 * A killed holder leaves its file behind. To take over, a process links `lock.<n+1>`, which only one can do, and nobody
 * ever removes the file of another, so that two who saw the same dead holder cannot both win. Who was slow and linked a
 * number that was used up in the meantime sees a higher one and steps back.
 */
export interface FolderLock {
  release(): void;
}

export interface LockOptions {
  /** How long to wait for a live holder. */
  readonly waitMs: number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Called once, when it turns out that there is somebody to wait for. */
  readonly onWait?: (holder: ProcessIdentity) => void;
  readonly signal?: AbortSignal;
}

const pollMs = 100;

/** The folder exists. Answers the holder that did not let go within `waitMs`, if there is one. */
export async function lockFolder(
  folder: string,
  options: LockOptions,
): Promise<FolderLock | { readonly holder: ProcessIdentity }> {
  let waitedMs = 0;
  for (;;) {
    const taken = tryLock(folder);
    if (!("holder" in taken)) return taken;
    if (waitedMs === 0) options.onWait?.(taken.holder);
    if (waitedMs >= options.waitMs || options.signal?.aborted === true) return taken;
    await options.sleep(pollMs);
    waitedMs += pollMs;
  }
}

function tryLock(folder: string): FolderLock | { readonly holder: ProcessIdentity } {
  const self = ownIdentity();
  for (;;) {
    const [highest = 0] = numbersIn(folder);
    const holder = readHolder(folder, highest);
    if (holder !== undefined && isHeld(holder, self)) return { holder };
    const own = highest + 1;
    if (!claim(folder, own, self)) continue;
    if (numbersIn(folder)[0] === own) return { release: () => release(folder, own) };
    rmSync(file(folder, own), { force: true });
  }
}

/** The file appears with its content: a reader never sees half of it. */
function claim(folder: string, number: number, self: ProcessIdentity): boolean {
  const fresh = path.join(folder, `.lock.${self.pid}`);
  writeFileSync(fresh, JSON.stringify(self), { mode: 0o600 });
  try {
    linkSync(fresh, file(folder, number));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** The number stays used: what is removed are those below it. */
function release(folder: string, own: number): void {
  for (const number of numbersIn(folder)) if (number < own) rmSync(file(folder, number), { force: true });
  writeFileSync(file(folder, own), "");
}

function isHeld(holder: ProcessIdentity, self: ProcessIdentity): boolean {
  return livenessOf(holder, self) !== "gone";
}

/** Undefined = released, or nobody's. */
function readHolder(folder: string, number: number): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file(folder, number), "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Highest first. */
function numbersIn(folder: string): readonly number[] {
  return readdirSync(folder)
    .map((name) => /^lock\.(\d+)$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => b - a);
}

function file(folder: string, number: number): string {
  return path.join(folder, `lock.${number}`);
}
