import { rm } from "node:fs/promises";
import { z } from "zod";
import { logOut } from "../../client/runtime/account-api.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { SessionKeeper } from "../../client/runtime/session-keeper.ts";
import { systemClock } from "../../base/clock.ts";
import type { AccountFile } from "../accounts/account-file.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { AccountChoice } from "../accounts/choose-account.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountOptions, openAccount } from "../accounts/options.ts";
import { createRenewal, sessionOf } from "../accounts/shared-session.ts";
import type { Command, Invocation } from "../command.ts";

export const logoutCommand: Command = {
  name: "logout",
  summary: "End the session of an account on this machine",
  details:
    "Its messages stay on this machine for the next login. --forget deletes them too. When the server cannot be reached, the tokens are forgotten here all the same.",
  options: [
    ...accountOptions,
    { flags: "--forget", description: "also delete what this machine keeps of the account" },
    { flags: "--all-devices", description: "end the sessions of all its devices" },
  ],
  examples: [
    { command: "msgr logout", what: "Log the current account out" },
    { command: "msgr logout --as carol --forget", what: "Leave no trace of it on this machine" },
  ],
  output: { schema: z.object({ name: z.string(), ended_on_server: z.boolean() }), lines: false },
  exits: ["configuration", "locked"],
  run: explaining(logout),
};

async function logout(invocation: Invocation): Promise<"done"> {
  const { options, output } = invocation;
  const { store, choice } = await openAccount(invocation);
  const { name, account } = choice;
  const ended = await endOnServer(store, choice, options["allDevices"] === true ? "all" : "device");
  if (ended !== true) output.warn(`the session was not ended on the server: ${ended.message}`);
  const forget = options["forget"] === true;
  await store.update(async (content) => without(content, name, forget));
  if (forget) await rm(store.deviceFolder(account), { recursive: true, force: true });
  output.data({ name, ended_on_server: ended === true }, () =>
    forget ? `Logged out and forgotten: ${name}` : `Logged out: ${name}`,
  );
  return "done";
}

async function endOnServer(
  store: AccountStore,
  choice: AccountChoice,
  scope: "device" | "all",
): Promise<true | ApiError> {
  const { account } = choice;
  if (account.tokens === undefined) return true;
  const http = { url: account.server };
  try {
    const keeper = new SessionKeeper(
      http,
      systemClock,
      sessionOf(account),
      () => undefined,
      createRenewal(store, choice),
    );
    await logOut(http, await keeper.accessToken(), scope);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // What the server does not know any more needs no ending.
    return error.code === "unauthenticated" || error.code === "token_reused" ? true : error;
  }
}

function without(content: AccountFile, name: string, forget: boolean): AccountFile {
  const { [name]: account, ...others } = content.accounts;
  if (account === undefined) return content;
  const { tokens: _ended, ...rest } = account;
  const accounts = forget ? others : { ...others, [name]: rest };
  const { current, ...file } = content;
  return current === undefined || current === name ? { ...file, accounts } : { ...content, accounts };
}
