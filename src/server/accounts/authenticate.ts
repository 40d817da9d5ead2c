import type { AccountDeps, TokenHolder } from "./account-types.ts";
import { tokenHash } from "./tokens.ts";

/** See Accounts.authenticate. */
export async function authenticate(
  deps: Pick<AccountDeps, "sessions" | "clock">,
  accessToken: string,
): Promise<TokenHolder | undefined> {
  const hash = tokenHash("access", accessToken);
  if (hash === undefined) return undefined;
  const session = await deps.sessions.byAccess(hash);
  if (session === undefined || session.accessExpiresAt <= deps.clock.nowMs()) return undefined;
  const { userId, device, familyId, accessExpiresAt } = session;
  return { userId, device, familyId, accessExpiresAt };
}
