import os from "node:os";
import { z } from "zod";
import { deviceField, uuidField } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import type { Session } from "../../client/runtime/account-api.ts";
import type { Output } from "../output.ts";
import type { AccountStore } from "./account-store.ts";
import { withAccount, withSession } from "./shared-session.ts";

/** What `register`, `login` and `whoami` print of an account. */
export const accountDocument = z.object({
  name: z.string(),
  handle: z.string(),
  user_id: uuidField,
  device: deviceField,
  server: z.url(),
});

/** How this machine is called in the account's list of devices. */
export function deviceName(): string {
  const name = `msgr on ${os.hostname()}`.replaceAll(/\p{Cc}/gu, "").trim();
  return name.slice(0, limits.deviceNameLengthMax);
}

/** Writes the new session under `name`, makes it the current account, says so. */
export async function keepLogin(
  store: AccountStore,
  output: Output,
  login: { readonly name: string; readonly server: string; readonly handle: string; readonly session: Session },
): Promise<void> {
  const { name, server, handle, session } = login;
  const account = withSession({ server, handle }, session);
  await store.update(async (content) => ({ ...withAccount(content, name, account), current: name }));
  const { user_id, device } = account;
  const document: z.infer<typeof accountDocument> = { name, handle, user_id, device, server };
  output.data(document, () => `@${handle} on ${server}, device ${device}${name === handle ? "" : `, kept as ${name}`}`);
}
