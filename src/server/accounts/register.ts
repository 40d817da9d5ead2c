import { present } from "../../base/assert.ts";
import { createUuidV7 } from "../../protocol/ids.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { AccountDeps, OpenedSession, Registration } from "./account-types.ts";
import { openSession } from "./open-session.ts";
import { takeRate } from "./take-rate.ts";

/** See Accounts.register. A crash between account and session leaves an account that its owner logs in to. */
export async function register(deps: AccountDeps, registration: Registration): Promise<OpenedSession> {
  const at = deps.clock.nowMs();
  await takeRate(deps, `register:${registration.address}`, deps.rules.register, at);
  // That a handle is taken is no secret here, so a hash is not spent on it; the store decides, whatever this read says.
  if ((await deps.users.byHandle(registration.handle)) !== undefined) throw new WireError("handle_taken");
  const passwordHash = await deps.passwords.hash(registration.password);
  const userId = createUuidV7(at, deps.random);
  const { handle, displayName, statusMessage, photoUrl } = registration;
  const taken = await deps.users.create([{ userId, handle, displayName, createdAt: at, passwordHash }]);
  if (taken.length > 0) throw new WireError("handle_taken");
  const profile = {
    ...(statusMessage === undefined ? {} : { statusMessage }),
    ...(photoUrl === undefined ? {} : { photoUrl }),
    lastLoginAt: at,
  };
  const [opened, user] = await Promise.all([
    openSession(deps, userId, { number: undefined, name: registration.deviceName }, at),
    deps.users.update(userId, profile, {}),
  ]);
  return { user: present(user, "the user just made"), ...opened };
}
