import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { AccountDeps, IssuedTokens } from "./account-types.ts";
import { issueSession } from "./issue-session.ts";

/** Opens a session on a device of the user, or on a new one. Errors: too_many_devices, no_such_device. */
export async function openSession(
  deps: Pick<AccountDeps, "sessions" | "random" | "accessTokenTtlMs" | "refreshTokenTtlMs">,
  userId: Uuid,
  device: { readonly number: number | undefined; readonly name: string },
  at: number,
): Promise<{ readonly device: number; readonly tokens: IssuedTokens }> {
  const { session, tokens } = issueSession(deps, userId, at);
  const opened = await deps.sessions.open({ userId, device: device.number, deviceName: device.name, at, session });
  if (opened.outcome !== "opened") throw new WireError(opened.outcome);
  return { device: opened.device, tokens };
}
