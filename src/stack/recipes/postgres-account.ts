import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { StackError } from "../stack-error.ts";

/** A user of this machine. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Root runs it as `postgres` where there is such a user, else as `nobody`; undefined =
 * whoever runs this is not root and may run it.
 */
export function postgresAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const account = accountIn(readFileSync("/etc/passwd", "utf8"), ["postgres", "nobody"]);
  if (account !== undefined) return account;
  const fix = "Make a user for it: useradd --system postgres";
  throw new StackError("configuration", "PostgreSQL does not run as root, and there is no user `postgres`.", fix);
}

/** The first of these names that is in the text of /etc/passwd. */
export function accountIn(passwd: string, names: readonly string[]): Account | undefined {
  const lines = passwd.split("\n").map((line) => line.split(":"));
  for (const name of names) {
    const [, , uid, gid] = lines.find(([user]) => user === name) ?? [];
    if (Number(uid) > 0 && Number(gid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** Whether that user may pass through every folder on the way to `file`. Root's home is closed to others on most systems. */
export function canReach({ uid, gid }: Account, file: string): boolean {
  const above = path.dirname(file);
  if (above !== file && !canReach({ uid, gid }, above)) return false;
  const { mode, uid: owner, gid: group } = statSync(file);
  if (owner === uid) return (mode & 0o100) !== 0;
  return (mode & (group === gid ? 0o010 : 0o001)) !== 0;
}

/** A program, and who runs it. */
export interface RunAs {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly account?: Account;
}

/**
 * The program as that user. Where the way to its files is closed to the user, it keeps of root's rights the one to pass
 * through (CAP_DAC_OVERRIDE, by setpriv of util-linux): the files stay in the folder that was asked for.
 */
export function runAs(
  account: Account | undefined,
  reachable: boolean,
  command: string,
  words: readonly string[],
): RunAs {
  if (account === undefined) return { command, arguments: words };
  if (reachable) return { command, arguments: words, account };
  const { uid, gid } = account;
  const rights = ["--clear-groups", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"];
  return { command: "setpriv", arguments: [`--reuid=${uid}`, `--regid=${gid}`, ...rights, "--", command, ...words] };
}
