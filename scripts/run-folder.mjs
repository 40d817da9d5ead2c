// A folder of a test run's own, in which everything is that its tests put on disk, and in which its processes work: whatever
// becomes of the run, both can be found.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const attemptsMax = 100;
const pauseMs = 50;

const numbered = /^\d+$/;

/** Processes that work in the folder but not in `except`, and those that this one has started. None where /proc is not. */
function processesOf(folder, except) {
  if (process.platform !== "linux") return [];
  const isIn = (place, outer) => `${place}/`.startsWith(`${outer}/`);
  return readdirSync("/proc")
    .filter((name) => numbered.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const place = readlinkSync(`/proc/${pid}/cwd`);
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        if (except !== undefined && isIn(place, except)) return false;
        return parent === process.pid || isIn(place, folder);
      } catch {
        // It is gone, or somebody else's.
        return false;
      }
    })
    .map(Number);
}

/** The temporary folder of this process from now on. `close` ends who still works in it, and removes it. */
export function openRunFolder() {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "msgr-tests-")));
  // PostgreSQL does not run as root: an administrator's is somebody else's process, who has to get through.
  chmodSync(folder, 0o755);
  process.env.TMPDIR = folder;
  /** Answers how many there were. */
  const endProcesses = (except) => {
    const found = processesOf(folder, except);
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    }
    return found.length;
  };
  const close = async () => {
    for (let attempt = 0; attempt < attemptsMax && endProcesses() > 0; attempt++) await sleep(pauseMs);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  return { folder, endProcesses, close };
}
