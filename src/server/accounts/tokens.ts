import { createHash } from "node:crypto";
import type { Random } from "../../base/random.ts";

/**
 * Tokens are opaque: 256 random bits, so that nothing can be forged or read from them, behind a prefix by which a leaked
 * one is recognised in logs and repositories. The stores keep their SHA-256 only; a slow hash would add nothing to 256
 * random bits.
 */
export type TokenKind = "access" | "refresh";

const prefixes: Record<TokenKind, string> = { access: "msgr_at_", refresh: "msgr_rt_" };
const secretBytes = 32;
const secretPattern = /^[A-Za-z0-9_-]{43}$/;

export interface MintedToken {
  readonly token: string;
  readonly hash: Uint8Array;
}

export function mintToken(kind: TokenKind, random: Random): MintedToken {
  const secret = new Uint8Array(secretBytes);
  random.fill(secret);
  const token = prefixes[kind] + Buffer.from(secret).toString("base64url");
  return { token, hash: hashOf(token) };
}

/** What the stores know the token by; undefined for text that cannot be a token of this kind. */
export function tokenHash(kind: TokenKind, text: string): Uint8Array | undefined {
  const prefix = prefixes[kind];
  if (!text.startsWith(prefix) || !secretPattern.test(text.slice(prefix.length))) return undefined;
  return hashOf(text);
}

function hashOf(token: string): Uint8Array {
  return createHash("sha256").update(token, "latin1").digest();
}
