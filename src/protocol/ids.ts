import { createHash } from "node:crypto";
import type { Random } from "../base/random.ts";

/**
 * Identifiers are lower-case UUID strings on the wire and in memory, 16 bytes in the stores. Users, groups and messages
 * are UUIDv7 (RFC 9562 §5.7); conversations of two and device inboxes are hashes shaped as UUIDv8 (§5.8), so that no
 * client can claim one by choosing an id.
 */
export type Uuid = string;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const hexPairs: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function isUuid(text: string): boolean {
  return uuidPattern.test(text);
}

/** Version nibble, 0–15, of a well-formed id. */
export function uuidVersion(id: Uuid): number {
  return Number.parseInt(id.charAt(14), 16);
}

/** Whether `id` is a well-formed UUIDv7 of the RFC variant. */
export function isUuidV7(id: string): boolean {
  return uuidPattern.test(id) && id.charAt(14) === "7" && "89ab".includes(id.charAt(19));
}

export function formatUuid(bytes: Uint8Array, offset = 0): Uuid {
  let text = "";
  for (let index = 0; index < 16; index++) {
    if (index === 4 || index === 6 || index === 8 || index === 10) text += "-";
    text += hexPairs[bytes[offset + index] as number] as string;
  }
  return text;
}

/** Writes the 16 bytes of a well-formed id into `target` at `offset`; returns `target`. */
export function parseUuid(id: Uuid, target: Uint8Array = new Uint8Array(16), offset = 0): Uint8Array {
  let at = 0;
  for (let index = 0; index < 16; index++) {
    if (at === 8 || at === 13 || at === 18 || at === 23) at++;
    target[offset + index] = (hexDigit(id.charCodeAt(at)) << 4) | hexDigit(id.charCodeAt(at + 1));
    at += 2;
  }
  return target;
}

/** Without a branch: ids are parsed a dozen times for every message. Digits are 48–57, a–f 97–102. */
function hexDigit(code: number): number {
  return (code & 15) + 9 * (code >> 6);
}

/** A UUIDv7 of the given wall time (ms) with 74 random bits. Not monotonic within a millisecond; nothing here needs that. */
export function createUuidV7(nowMs: number, random: Random): Uuid {
  const bytes = random.fill(new Uint8Array(16));
  const high = Math.floor(nowMs / 0x1_0000_0000);
  const low = nowMs % 0x1_0000_0000;
  bytes[0] = (high >>> 8) & 0xff;
  bytes[1] = high & 0xff;
  bytes[2] = (low >>> 24) & 0xff;
  bytes[3] = (low >>> 16) & 0xff;
  bytes[4] = (low >>> 8) & 0xff;
  bytes[5] = low & 0xff;
  bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
  return formatUuid(bytes);
}

function hashedUuid(label: string, first: Uint8Array, second: Uint8Array): Uuid {
  const digest = createHash("sha256").update(label).update(first).update(second).digest();
  digest[6] = 0x80 | ((digest[6] as number) & 0x0f);
  digest[8] = 0x80 | ((digest[8] as number) & 0x3f);
  return formatUuid(digest);
}

/**
 * The conversation of two users, the same from either side: SHA-256("dm" | smaller | larger), raw bytes, first 128 bits,
 * as UUIDv8. Both ids the same = notes to oneself.
 */
export function directConversationId(one: Uuid, other: Uuid): Uuid {
  // Lower-case hex of equal length sorts as the unsigned bytes do.
  const [smaller, larger] = one <= other ? [one, other] : [other, one];
  return hashedUuid("dm", parseUuid(smaller), parseUuid(larger));
}

/** The log of what is meant for one device only: SHA-256("inbox" | user | device as 4 bytes, big-endian), as UUIDv8. */
export function deviceInboxId(user: Uuid, device: number): Uuid {
  const suffix = new Uint8Array(4);
  new DataView(suffix.buffer).setUint32(0, device);
  return hashedUuid("inbox", parseUuid(user), suffix);
}
