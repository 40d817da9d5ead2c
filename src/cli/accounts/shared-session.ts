import type { Session } from "../../client/runtime/account-api.ts";
import { refreshSession } from "../../client/runtime/account-api.ts";
import { ApiError } from "../../client/runtime/http.ts";
import type { SessionRenewal } from "../../client/runtime/session-keeper.ts";
import type { Account, AccountFile } from "./account-file.ts";
import type { AccountStore } from "./account-store.ts";
import type { AccountChoice } from "./choose-account.ts";

/** The tokens of an account as the client SDK wants them. Throws ApiError `unauthenticated` when it is logged out. */
export function sessionOf(account: Account): Session {
  const { tokens } = account;
  if (tokens === undefined) throw loggedOut();
  return {
    userId: account.user_id,
    device: account.device,
    accessToken: tokens.access_token,
    accessExpiresAt: tokens.access_expires_at,
    refreshToken: tokens.refresh_token,
  };
}

/** `account` with the tokens of a session. */
export function withSession(account: Omit<Account, "user_id" | "device" | "tokens">, session: Session): Account {
  const { refreshToken } = session;
  return {
    server: account.server,
    handle: account.handle,
    user_id: session.userId,
    device: session.device,
    ...(refreshToken === undefined
      ? {}
      : {
          tokens: {
            access_token: session.accessToken,
            access_expires_at: session.accessExpiresAt,
            refresh_token: refreshToken,
          },
        }),
  };
}

export function withAccount(content: AccountFile, name: string, account: Account): AccountFile {
  return { ...content, accounts: { ...content.accounts, [name]: account } };
}

/**
 * Renewal for tokens that several msgr processes use: under the lock of the file, and only if no other process was
 * faster, since a refresh token that is shown twice ends the session. What the server refuses for good is forgotten.
 */
export function createRenewal(store: AccountStore, { name, account }: AccountChoice): SessionRenewal {
  return async (stale) => {
    let renewed: Session | undefined;
    let refusal: ApiError | undefined;
    await store.update(async (content) => {
      const kept = content.accounts[name];
      if (kept?.user_id !== account.user_id || kept.device !== account.device) throw loggedOut();
      const session = sessionOf(kept);
      if (session.accessToken !== stale.accessToken) {
        renewed = session;
        return undefined;
      }
      try {
        renewed = await refreshSession({ url: kept.server }, session.refreshToken ?? "");
        return withAccount(content, name, withSession(kept, renewed));
      } catch (error) {
        if (!(error instanceof ApiError) || error.temporary) throw error;
        refusal = error;
        const { tokens: _ended, ...rest } = kept;
        return withAccount(content, name, rest);
      }
    });
    if (renewed === undefined) throw refusal ?? loggedOut();
    return renewed;
  };
}

function loggedOut(): ApiError {
  return new ApiError({
    code: "unauthenticated",
    status: 401,
    message: "This account is logged out.",
    temporary: false,
    fix: "Log in again.",
  });
}
