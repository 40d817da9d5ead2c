import { createHash, timingSafeEqual } from "node:crypto";

/** Whether the Authorization header carries the token. Compares hashes, so that neither length nor prefix shows in the time it takes. */
export function bearsToken(authorization: string | undefined, token: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(authorization ?? ""), hash(`Bearer ${token}`));
}
