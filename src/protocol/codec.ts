import { clientFrameSchemas, type ClientFrame, type ClientFrameType } from "./frames/client-frames.ts";
import { serverFrameSchemas, type ServerFrame, type ServerFrameType } from "./frames/server-frames.ts";
import { limits } from "./limits.ts";
import { scanJson } from "./json-scan.ts";
import type { WireErrorCode } from "./wire-errors.ts";

/**
 * Text ⇄ frame. Pure; the only place where bytes from the network become typed values. What is not even JSON of this
 * protocol is `fatal` (the connection ends); a well-formed frame that is wrong or unknown gets an ERROR and no more.
 */
export type Parsed<F> =
  | { readonly ok: true; readonly frame: F }
  | { readonly ok: false; readonly fatal: true; readonly detail: string }
  | {
      readonly ok: false;
      readonly fatal: false;
      readonly code: WireErrorCode;
      readonly detail: string;
      readonly request: string | undefined;
    };

export function parseClientFrame(text: string): Parsed<ClientFrame> {
  return parse<ClientFrame>(text, (type) =>
    Object.hasOwn(clientFrameSchemas, type) ? clientFrameSchemas[type as ClientFrameType] : undefined,
  );
}

export function parseServerFrame(text: string): Parsed<ServerFrame> {
  return parse<ServerFrame>(text, (type) =>
    Object.hasOwn(serverFrameSchemas, type) ? serverFrameSchemas[type as ServerFrameType] : undefined,
  );
}

/** The whole of a frame as text. Frames are built by our own code, so this validates nothing. */
export function encodeFrame(frame: ClientFrame | ServerFrame): string {
  return JSON.stringify(frame);
}

interface FrameSchema {
  safeParse(
    value: unknown,
  ):
    | { success: true; data: unknown }
    | { success: false; error: { issues: readonly { path: readonly PropertyKey[]; message: string }[] } };
}

function parse<F>(text: string, schemaOf: (type: string) => FrameSchema | undefined): Parsed<F> {
  const problem = scanJson(text, limits.jsonDepthMax);
  if (problem !== undefined) return { ok: false, fatal: true, detail: problem };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, fatal: true, detail: "not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { ok: false, fatal: true, detail: "not an object" };
  const { type, request } = value as { type?: unknown; request?: unknown };
  const requestText = typeof request === "string" && request.length <= limits.requestIdLengthMax ? request : undefined;
  if (typeof type !== "string")
    return { ok: false, fatal: false, code: "bad_request", detail: "type: missing", request: requestText };
  const schema = schemaOf(type);
  if (schema === undefined)
    return { ok: false, fatal: false, code: "unknown_frame", detail: `unknown frame type`, request: requestText };
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, frame: result.data as F };
  const issue = result.error.issues[0];
  const detail = issue === undefined ? "invalid" : `${issue.path.join(".")}: ${issue.message}`;
  return { ok: false, fatal: false, code: "bad_request", detail, request: requestText };
}
