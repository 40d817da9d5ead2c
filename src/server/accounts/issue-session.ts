import type { Session } from "../../core/model.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { createUuidV7 } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { AccountDeps, IssuedTokens } from "./account-types.ts";
import { mintToken } from "./tokens.ts";

type TokenDeps = Pick<AccountDeps, "random" | "accessTokenTtlMs" | "refreshTokenTtlMs">;
type SessionTokens = Pick<Session, "accessHash" | "accessExpiresAt" | "refreshHash" | "refreshExpiresAt">;

/** A pair of tokens as its owner and as the stores get to know it. */
export function issueTokens(
  deps: TokenDeps,
  at: number,
): { readonly tokens: IssuedTokens; readonly stored: SessionTokens } {
  const access = mintToken("access", deps.random);
  const refresh = mintToken("refresh", deps.random);
  const accessExpiresAt = at + (deps.accessTokenTtlMs ?? limits.accessTokenTtlMs);
  const refreshExpiresAt = at + (deps.refreshTokenTtlMs ?? limits.refreshTokenTtlMs);
  return {
    tokens: { accessToken: access.token, accessExpiresAt, refreshToken: refresh.token, refreshExpiresAt },
    stored: { accessHash: access.hash, accessExpiresAt, refreshHash: refresh.hash, refreshExpiresAt },
  };
}

/** The first version of a new session, not stored yet. */
export function issueSession(
  deps: TokenDeps,
  userId: Uuid,
  at: number,
): { readonly tokens: IssuedTokens; readonly session: Omit<Session, "device"> } {
  const { tokens, stored } = issueTokens(deps, at);
  return { tokens, session: { ...stored, familyId: createUuidV7(at, deps.random), userId, version: 1 } };
}
