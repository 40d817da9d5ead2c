import { registerAccount } from "../../client/runtime/account-api.ts";
import { handleField } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import { AccountStore } from "../accounts/account-store.ts";
import { askPassword } from "../accounts/ask-password.ts";
import { nameForLogin } from "../accounts/choose-account.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountDocument, deviceName, keepLogin } from "../accounts/keep-login.ts";
import { passwordOption, textOption } from "../accounts/options.ts";
import { chooseServer } from "../accounts/server-url.ts";
import { CliError } from "../cli-error.ts";
import type { Command, Invocation } from "../command.ts";

export const registerCommand: Command = {
  name: "register",
  summary: "Make an account on a server and log this machine in",
  details:
    "The password is asked for without echo, or read from a pipe or --password-file. Tokens are kept in a file that only you can read.",
  arguments: [{ name: "handle", description: "a name, or a phone number as +491234567", required: true }],
  options: [
    { flags: "--display-name <name>", description: "how others see you (default: the handle)" },
    { flags: "--server <url>", description: "where the account is made" },
    { flags: "--as <name>", description: "keep it under this name (default: the handle)" },
    passwordOption,
  ],
  examples: [
    { command: "msgr register carol", what: "Make @carol on the server of this machine" },
    {
      command: "msgr register +491234567 --server https://chat.example.com --password-file ./secret",
      what: "Elsewhere, without being asked",
    },
  ],
  output: { schema: accountDocument, lines: false },
  exits: ["configuration", "unreachable", "locked", "interrupted"],
  run: explaining(register),
};

async function register(invocation: Invocation): Promise<"done"> {
  const handle = handleOf(invocation.arguments["handle"] as string);
  const { given, fallback } = chooseServer(textOption(invocation, "server"), invocation.environment);
  const server = given ?? fallback;
  const store = new AccountStore(invocation.environment.folders.state);
  const as = textOption(invocation, "as");
  const name = nameForLogin(await store.read(), { handle, server, ...(as === undefined ? {} : { as }) });
  const password = await askPassword(invocation, `New password for @${handle}`);
  if (password.length < limits.passwordLengthMin || password.length > limits.passwordLengthMax) {
    throw new CliError(
      "usage",
      `A password has ${limits.passwordLengthMin} to ${limits.passwordLengthMax} characters.`,
      {
        fix: "Choose another one.",
      },
    );
  }
  if (invocation.mayAsk && invocation.stdin.isTTY && textOption(invocation, "passwordFile") === undefined) {
    const again = await askPassword(invocation, "Once more");
    if (again !== password) throw new CliError("usage", "The two passwords differ.", { fix: "Try again." });
  }
  const displayName = textOption(invocation, "displayName") ?? handle;
  const session = await registerAccount({ url: server }, { handle, password, displayName, deviceName: deviceName() });
  await keepLogin(store, invocation.output, { name, server, handle, session });
  return "done";
}

/** Checked here too, so that nobody types a password for nothing. */
function handleOf(text: string): string {
  const handle = text.replace(/^@/, "");
  const parsed = handleField.safeParse(handle);
  if (parsed.success) return handle;
  throw new CliError(
    "usage",
    `${JSON.stringify(handle)} cannot be a handle: ${parsed.error.issues[0]?.message ?? ""}.`,
    {
      fix: `Use ${limits.handleLengthMin} to ${limits.handleLengthMax} letters, digits, dots, - or _, or a phone number as +491234567.`,
    },
  );
}
