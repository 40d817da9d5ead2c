import type { Uuid } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { AccountDeps, Login, OpenedSession } from "./account-types.ts";
import { openSession } from "./open-session.ts";
import { takeRate } from "./take-rate.ts";

/**
 * See Accounts.login. Whether the handle exists must not show: the limits are taken before it is looked up, and a password
 * is verified in every case, against a hash that nothing matches if there is none.
 */
export async function login(deps: AccountDeps, attempt: Login): Promise<OpenedSession> {
  const at = deps.clock.nowMs();
  await takeRate(deps, `login:${attempt.address}`, deps.rules.loginAddress, at);
  await takeRate(deps, `login:${attempt.handle.toLowerCase()}:${attempt.address}`, deps.rules.login, at);
  const user = await deps.users.byHandle(attempt.handle);
  const encoded = user === undefined ? undefined : await deps.users.passwordHash(user.userId);
  const matches = await deps.passwords.verify(attempt.password, encoded);
  if (user === undefined || !matches) throw new WireError("wrong_password");
  const opened = await openSession(deps, user.userId, { number: attempt.device, name: attempt.deviceName }, at);
  const seen = await deps.users.update(user.userId, { lastLoginAt: at }, {});
  if (encoded !== undefined && !deps.passwords.isCurrent(encoded)) {
    await renewHash(deps, user.userId, attempt.password, encoded);
  }
  return { user: seen ?? user, ...opened };
}

/** A hash of an earlier algorithm or cost takes another time than that of nobody: made anew as soon as the password is known. */
async function renewHash(deps: AccountDeps, userId: Uuid, password: string, encoded: string): Promise<void> {
  try {
    await deps.users.replacePasswordHash(userId, encoded, await deps.passwords.hash(password));
  } catch (error) {
    // The login has succeeded; the next one tries again.
    if (!(error instanceof WireError)) throw error;
  }
}
