import type { CommandOption, Invocation } from "../command.ts";
import { AccountStore } from "./account-store.ts";
import { chooseAccount, type AccountChoice } from "./choose-account.ts";
import { chooseServer } from "./server-url.ts";

export const accountOptions: readonly CommandOption[] = [
  { flags: "--as <name>", description: "act as this account of this machine (see `msgr whoami`)" },
  { flags: "--server <url>", description: "only an account of this server" },
];

export const passwordOption: CommandOption = {
  flags: "--password-file <file>",
  description: "its first line is the password; - = standard input",
};

export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

/** The account that the options mean. Throws CliError. */
export async function openAccount(
  invocation: Invocation,
): Promise<{ readonly store: AccountStore; readonly choice: AccountChoice }> {
  const store = new AccountStore(invocation.environment.folders.state);
  const { given } = chooseServer(textOption(invocation, "server"), invocation.environment);
  const as = textOption(invocation, "as");
  const wanted = { ...(as === undefined ? {} : { as }), ...(given === undefined ? {} : { server: given }) };
  return { store, choice: chooseAccount(await store.read(), wanted) };
}
