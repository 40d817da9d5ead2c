import { safeLine } from "../../base/safe-text.ts";
import { CliError } from "../cli-error.ts";
import type { Account, AccountFile } from "./account-file.ts";

export interface AccountChoice {
  readonly name: string;
  readonly account: Account;
}

/**
 * Which account a command is about: the one that --as names, else the current one, else the only one. `server` (when a
 * flag or the configuration gave one) narrows the choice: tokens of one server are never shown to another.
 * Throws CliError that lists what there is.
 */
export function chooseAccount(file: AccountFile, wanted: { as?: string; server?: string }): AccountChoice {
  const { as: name, server } = wanted;
  const there = Object.entries(file.accounts);
  const fits = there.filter(([, account]) => server === undefined || account.server === server);
  if (name !== undefined) {
    const account = accountNamed(file, name);
    if (account === undefined) throw unknown(`There is no account ${safeLine(name)} on this machine.`, there);
    if (server !== undefined && account.server !== server) {
      throw unknown(`${safeLine(name)} is an account of ${account.server}, not of ${server}.`, there);
    }
    return { name, account };
  }
  const current = fits.find(([each]) => each === file.current) ?? (fits.length === 1 ? fits[0] : undefined);
  if (current !== undefined) return { name: current[0], account: current[1] };
  if (there.length === 0) throw unknown("Nobody is logged in on this machine.", there);
  if (fits.length === 0) throw unknown(`No account of this machine is one of ${server ?? "that server"}.`, there);
  throw unknown("It is not clear which account is meant.", there);
}

const accountName = /^[A-Za-z0-9+][\w.+@:-]{0,127}$/;

export function accountNamed(file: AccountFile, name: string): Account | undefined {
  return Object.hasOwn(file.accounts, name) ? file.accounts[name] : undefined;
}

function unknown(what: string, accounts: readonly (readonly [string, Account])[]): CliError {
  if (accounts.length === 0) {
    return new CliError("failed", what, {
      fix: "`msgr register HANDLE`, or `msgr login HANDLE` if you have an account.",
    });
  }
  const names = accounts.map(([name, { handle, server }]) => `${name} (@${handle} on ${server})`).join(", ");
  return new CliError("failed", what, { fix: `Pick one with --as: ${names}. \`msgr login HANDLE\` adds another.` });
}

/**
 * The name under which a login is kept: --as, else the handle, else handle@host when the handle is taken by an account of
 * another server. Throws CliError when --as names somebody else, whose tokens must not go unasked.
 */
export function nameForLogin(file: AccountFile, login: { handle: string; server: string; as?: string }): string {
  const { handle, server, as: name } = login;
  const isSame = (account: Account | undefined): boolean =>
    account === undefined || (account.server === server && account.handle.toLowerCase() === handle.toLowerCase());
  if (name !== undefined) {
    if (!accountName.test(name)) {
      throw new CliError("usage", `${safeLine(name)} cannot be the name of an account.`, {
        fix: "Use letters, digits and . _ + - @ : after a letter or digit.",
      });
    }
    const account = accountNamed(file, name);
    if (isSame(account)) return name;
    throw new CliError("usage", `${safeLine(name)} is already @${account?.handle} on ${account?.server}.`, {
      fix: `Choose another --as, or \`msgr logout --forget --as ${safeLine(name)}\` first.`,
    });
  }
  return isSame(accountNamed(file, handle)) ? handle : `${handle}@${new URL(server).host}`;
}
