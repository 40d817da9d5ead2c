import { createHmac, timingSafeEqual } from "node:crypto";
import type { MediaGrant } from "../ports/media.ts";

/**
 * Addresses of this server that carry their own permission: what may be done with which object until when, and an
 * HMAC-SHA256 of all that. Nothing about them is stored; they hold as long as the key does.
 */

export const mediaPath = "/media/";

/** The path of an address that allows `grant` until `expiresAt` (ms; rounded up to seconds). */
export function signAddress(key: Uint8Array, grant: MediaGrant, expiresAt: number): string {
  const expires = String(Math.ceil(expiresAt / 1_000));
  const query = new URLSearchParams({
    ...(grant.action === "write" ? { part: String(grant.part), size: String(grant.sizeBytes) } : {}),
    expires,
    signature: signatureOf(key, grant, expires).toString("base64url"),
  });
  return `${mediaPath}${grant.name}?${query.toString()}`;
}

/** What an address allows at `now` (ms); undefined = it was not made with this key, was changed, or has expired. */
export function verifyAddress(
  key: Uint8Array,
  method: "GET" | "PUT",
  name: string,
  query: URLSearchParams,
  now: number,
): MediaGrant | undefined {
  const expires = query.get("expires") ?? "";
  if (!isNumber(expires) || now > Number(expires) * 1_000) return undefined;
  const grant = askedFor(method, name, query);
  if (grant === undefined) return undefined;
  const given = Buffer.from(query.get("signature") ?? "", "base64url");
  const made = signatureOf(key, grant, expires);
  return given.length === made.length && timingSafeEqual(given, made) ? grant : undefined;
}

function askedFor(method: "GET" | "PUT", name: string, query: URLSearchParams): MediaGrant | undefined {
  if (method === "GET") return { action: "read", name };
  const [part, size] = [query.get("part") ?? "", query.get("size") ?? ""];
  if (!isNumber(part) || !isNumber(size)) return undefined;
  return { action: "write", name, part: Number(part), sizeBytes: Number(size) };
}

/** Each line is one field, and none of them can hold a line break. */
function signatureOf(key: Uint8Array, grant: MediaGrant, expires: string): Buffer {
  const what = grant.action === "read" ? [] : [String(grant.part), String(grant.sizeBytes)];
  return createHmac("sha256", key)
    .update([grant.action, grant.name, expires, ...what].join("\n"))
    .digest();
}

/** Written as it was signed: no sign, no leading zero, no more digits than a number holds exactly. */
function isNumber(text: string): boolean {
  return /^(?:0|[1-9]\d{0,14})$/.test(text);
}
