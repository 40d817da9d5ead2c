import { logIn, type Session } from "../../client/runtime/account-api.ts";
import { ApiError } from "../../client/runtime/http.ts";
import { AccountStore } from "../accounts/account-store.ts";
import { askPassword } from "../accounts/ask-password.ts";
import { accountNamed, nameForLogin } from "../accounts/choose-account.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountDocument, deviceName, keepLogin } from "../accounts/keep-login.ts";
import { passwordOption, textOption } from "../accounts/options.ts";
import { chooseServer } from "../accounts/server-url.ts";
import type { Command, Invocation } from "../command.ts";

export const loginCommand: Command = {
  name: "login",
  summary: "Log this machine in to an account",
  details:
    "An account that was here before gets its device back, with its messages. A new --as makes another device of the same account. The password is asked for without echo, or read from a pipe or --password-file.",
  arguments: [{ name: "handle", description: "whose account", required: true }],
  options: [
    { flags: "--server <url>", description: "where the account is" },
    { flags: "--as <name>", description: "keep it under this name (default: the handle)" },
    passwordOption,
  ],
  examples: [
    { command: "msgr login carol", what: "Log in on the server of this machine" },
    { command: "msgr login carol --as carol-bot", what: "A second device of the same account" },
  ],
  output: { schema: accountDocument, lines: false },
  exits: ["configuration", "unreachable", "locked", "interrupted"],
  run: explaining(login),
};

async function login(invocation: Invocation): Promise<"done"> {
  const handle = (invocation.arguments["handle"] as string).replace(/^@/, "");
  const { given, fallback } = chooseServer(textOption(invocation, "server"), invocation.environment);
  const store = new AccountStore(invocation.environment.folders.state);
  const content = await store.read();
  const as = textOption(invocation, "as");
  // Without --server, a known name means its own server.
  const server = given ?? accountNamed(content, as ?? handle)?.server ?? fallback;
  const name = nameForLogin(content, { handle, server, ...(as === undefined ? {} : { as }) });
  const password = await askPassword(invocation, `Password for @${handle} on ${server}`);
  const known = accountNamed(content, name);
  const credentials = { handle, password, deviceName: deviceName() };
  const session = await logInAgain(server, credentials, known?.device);
  await keepLogin(store, invocation.output, { name, server, handle, session });
  return "done";
}

/** As the device of before, unless the account does not have it any more. */
async function logInAgain(
  server: string,
  credentials: { handle: string; password: string; deviceName: string },
  device: number | undefined,
): Promise<Session> {
  if (device === undefined) return logIn({ url: server }, credentials);
  try {
    return await logIn({ url: server }, { ...credentials, device });
  } catch (error) {
    if (error instanceof ApiError && error.code === "no_such_device") return logIn({ url: server }, credentials);
    throw error;
  }
}
