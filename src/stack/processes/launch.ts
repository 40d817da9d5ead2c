import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { once } from "node:events";
import { recordedStart } from "./recorded-process.ts";

export interface LaunchPlan {
  readonly command: string;
  readonly arguments: readonly string[];
  /** All of it: nothing of the caller's environment comes along by itself. */
  readonly environment: Readonly<Record<string, string>>;
  /** Inside of the stack's folder: by it, what a killed process leaves behind is known as ours. */
  readonly workingDirectory: string;
  /** Appended to. */
  readonly log: string;
  /** Whom it runs as, where it refuses to run as root. */
  readonly account?: { readonly uid: number; readonly gid: number };
}

export interface Launched {
  readonly pid: number;
  readonly startedAt: string;
  /** Lets it begin. Until then it has done nothing. */
  begin(): void;
  /** How it ended, for as long as this process lives to hear it. */
  readonly ended: Promise<string>;
}

/**
 * A gate in front of the program: it waits for a line, and for nothing else. If the command that started it is killed
 * before the pid is on record, the line never comes and the gate ends; so there is no process that nobody knows of.
 * `exec` keeps pid and start time. Cassandra and Kafka want more open files than the usual 1,024.
 */
const gate =
  'read -r word && [ "$word" = begin ] || exit 1; ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@" </dev/null';

/** Starts a process in a session of its own: it outlives this one and its terminal. */
export async function launch(plan: LaunchPlan): Promise<Launched> {
  const log = openSync(plan.log, "a", 0o600);
  try {
    const child = spawn("/bin/sh", ["-c", gate, "msgr-stack", plan.command, ...plan.arguments], {
      cwd: plan.workingDirectory,
      env: { ...plan.environment },
      detached: true,
      stdio: ["pipe", log, log],
      ...plan.account,
    });
    const ended = once(child, "exit").then(([code, signal]) =>
      typeof signal === "string" ? `ended by ${signal}` : `ended with exit code ${String(code)}`,
    );
    // Whoever waits for it hears of it; if nobody does, there is nothing to handle.
    ended.catch(() => undefined);
    await once(child, "spawn");
    child.unref();
    // A gate that was killed reads no line; `ended` tells.
    child.stdin?.on("error", () => undefined);
    const pid = child.pid as number;
    return { pid, startedAt: recordedStart(pid) ?? "", begin: () => child.stdin?.end("begin\n"), ended };
  } finally {
    closeSync(log);
  }
}
