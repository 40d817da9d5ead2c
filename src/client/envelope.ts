import { kinds } from "../protocol/kinds.ts";
import type { Uuid } from "../protocol/ids.ts";

/**
 * The content of a message: base64 of UTF-8 JSON {v: 1, suite: 0, body}. Suite 0 is not encrypted: the server could read
 * it. The server treats every envelope as opaque all the same.
 */
export interface MessageBody {
  readonly text?: string;
  /** The message that a reply, reaction, edit or delete is about. */
  readonly target?: Uuid;
  readonly [name: string]: unknown;
}

const version = 1;
const plainSuite = 0;

/** Base64 of a plain envelope. The caller keeps it within envelopeBytesMax (sizeOfEnvelope). */
export function sealPlain(body: MessageBody): string {
  return Buffer.from(JSON.stringify({ v: version, suite: plainSuite, body })).toString("base64");
}

/** Bytes of an envelope, as the limit counts them. */
export function sizeOfEnvelope(envelope: string): number {
  return Buffer.byteLength(envelope, "base64");
}

/** The body of a plain envelope; undefined for anything else (another suite, a newer version, garbage): show it as such. */
export function openPlain(envelope: string): MessageBody | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(envelope, "base64").toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value["v"] !== version || value["suite"] !== plainSuite || !isRecord(value["body"])) {
    return undefined;
  }
  return value["body"];
}

/** The text that a row carries to its reader; undefined when it has none or cannot be opened. */
export function textOf(row: { readonly kind: number; readonly envelope?: string }): string | undefined {
  if (row.kind === kinds.void || row.envelope === undefined) return undefined;
  const text = openPlain(row.envelope)?.text;
  return typeof text === "string" ? text : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
