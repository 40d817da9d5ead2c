import { WireError } from "../../protocol/wire-errors.ts";
import type { AccountDeps, RefreshedSession } from "./account-types.ts";
import { issueTokens } from "./issue-session.ts";
import { tokenHash } from "./tokens.ts";

/**
 * See Accounts.refresh. A refresh token that comes a second time was copied: the thief or the owner holds the newer one,
 * and as nobody can tell which, both lose it (RFC 9700 §4.14.2).
 */
export async function refresh(deps: AccountDeps, refreshToken: string): Promise<RefreshedSession> {
  const at = deps.clock.nowMs();
  const hash = tokenHash("refresh", refreshToken);
  if (hash === undefined) throw new WireError("unauthenticated");
  const { tokens, stored } = issueTokens(deps, at);
  const rotated = await deps.sessions.rotate(hash, stored, at);
  switch (rotated.outcome) {
    case "rotated":
      return { userId: rotated.session.userId, device: rotated.session.device, tokens };
    case "reused":
      void deps.bus.announce({ notice: "sessions_revoked", userId: rotated.userId, devices: [rotated.device] });
      throw new WireError("token_reused");
    case "unknown":
      throw new WireError("unauthenticated");
  }
}
