import { z } from "zod";
import { AccountStore } from "../accounts/account-store.ts";
import { chooseAccount } from "../accounts/choose-account.ts";
import { explaining } from "../accounts/explain-error.ts";
import { accountDocument } from "../accounts/keep-login.ts";
import { accountOptions, openAccount } from "../accounts/options.ts";
import type { Command, Invocation } from "../command.ts";

const entry = accountDocument.extend({ current: z.boolean(), logged_in: z.boolean() });

export const whoamiCommand: Command = {
  name: "whoami",
  summary: "Say which account commands act as, and which others there are",
  options: [...accountOptions, { flags: "--all", description: "every account of this machine" }],
  examples: [
    { command: "msgr whoami", what: "The account that is used without --as" },
    { command: "msgr whoami --all --json", what: "All of them, for a script" },
  ],
  output: { schema: z.object({ accounts: z.array(entry) }), lines: false },
  exits: ["configuration"],
  run: explaining(whoami),
};

async function whoami(invocation: Invocation): Promise<"done"> {
  const { options, output, environment } = invocation;
  const content = await new AccountStore(environment.folders.state).read();
  const all = options["all"] === true;
  const names = all ? Object.keys(content.accounts) : [(await openAccount(invocation)).choice.name];
  const accounts = names.map((name) => {
    const { account } = chooseAccount(content, { as: name });
    const { handle, user_id, device, server, tokens } = account;
    const logged_in = tokens !== undefined;
    return { name, handle, user_id, device, server, current: name === content.current, logged_in };
  });
  const document: z.infer<NonNullable<typeof whoamiCommand.output>["schema"]> = { accounts };
  output.data(document, () =>
    accounts
      .map(({ name, handle, server, device, current, logged_in: isIn }) => {
        const mark = all ? (current ? "* " : "  ") : "";
        const label = name === handle ? "" : `${name}: `;
        return `${mark}${label}@${handle} on ${server}, device ${device}${isIn ? "" : ", logged out"}`;
      })
      .join("\n"),
  );
  return "done";
}
