import { createHash } from "node:crypto";
import { z } from "zod";
import { timeField, uuidField } from "../../protocol/fields.ts";
import type { Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { parseAnswer } from "./answer.ts";
import type { AuthorisedRequest } from "./directory-api.ts";
import { retrying, storeFailure, type RetryDeps } from "./media-retry.ts";
import type { MediaSource } from "./media-source.ts";

/** What a reader needs to fetch media and to know that it is the right one: it belongs into the envelope. */
export interface MediaReference {
  readonly mediaId: Uuid;
  readonly sizeBytes: number;
  /** 64 hex digits, of the bytes as they were uploaded. */
  readonly sha256: string;
}

export interface UploadOptions {
  readonly signal?: AbortSignal;
  /** Bytes that are there so far. */
  readonly onProgress?: (bytes: number) => void;
}

const createdBody = z.object({
  media_id: uuidField,
  expires_at: timeField,
  upload: z.object({
    parts: z
      .array(
        z.object({
          number: z.int().min(1),
          method: z.string(),
          url: z.url({ protocol: /^https?$/ }),
          headers: z.record(z.string(), z.string()),
          from_byte: z.int().min(0),
          to_byte: z.int().min(1),
        }),
      )
      .min(1)
      .max(limits.mediaPartsMax),
  }),
});
type Part = z.infer<typeof createdBody>["upload"]["parts"][number];

const hashBytes = 1024 * 1024;
const partsAtOnce = 2;
/** 8 MiB at less than 20 KB/s. */
const partTimeoutMs = 600_000;
/** The server reads the whole object first. */
const commitTimeoutMs = 120_000;

/**
 * Uploads and commits. Reads the source twice, a part or two at a time; repeats parts and requests that failed for now.
 * Rejects with ApiError (`too_large`, `media_mismatch`, `rate_limited`, `unreachable`, …), the signal's reason, or what
 * the source failed with.
 */
export async function uploadMedia(
  request: AuthorisedRequest,
  deps: RetryDeps,
  source: MediaSource,
  options: UploadOptions = {},
): Promise<MediaReference> {
  const { sizeBytes } = source;
  const { signal } = options;
  const sha256 = await digestOf(source, signal);
  const answer = await retrying(deps, signal, () =>
    request({ method: "POST", path: "/api/media", body: { size_bytes: sizeBytes, sha256 } }),
  );
  const { media_id: mediaId, upload } = parseAnswer(createdBody, answer);
  const parts = await putAll(deps, source, upload.parts, options);
  const body = parts.length === 1 ? {} : { parts };
  const path = `/api/media/${mediaId}/commit`;
  await retrying(deps, signal, () => request({ method: "POST", path, body, timeoutMs: commitTimeoutMs }));
  return { mediaId, sizeBytes, sha256 };
}

async function digestOf(source: MediaSource, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < source.sizeBytes; at += hashBytes) {
    signal?.throwIfAborted();
    hash.update(await source.read(at, Math.min(at + hashBytes, source.sizeBytes)));
  }
  return hash.digest("hex");
}

/** A few at once; the first that fails for good ends the others. Answers what a commit names, in order. */
async function putAll(deps: RetryDeps, source: MediaSource, parts: readonly Part[], options: UploadOptions) {
  const done: { number: number; etag: string }[] = [];
  const waiting = [...parts];
  let bytes = 0;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const work = async (): Promise<void> => {
    for (;;) {
      const part = waiting.shift();
      if (part === undefined) return;
      const { number, from_byte: fromByte, to_byte: toByte } = part;
      const content = await source.read(fromByte, toByte);
      const etag = await retrying(deps, signal, () => putPart(part, content, signal));
      done.push({ number, etag });
      options.onProgress?.((bytes += toByte - fromByte));
    }
  };
  try {
    await Promise.all(Array.from({ length: partsAtOnce }, work));
  } catch (error) {
    stop.abort(error);
    throw error;
  }
  return done.sort((one, other) => one.number - other.number);
}

/** Answers the part's ETag. */
async function putPart({ method, url, headers }: Part, content: Uint8Array, signal: AbortSignal): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: content as Uint8Array<ArrayBuffer>,
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(partTimeoutMs)]),
    });
    await response.arrayBuffer();
  } catch (cause) {
    throw storeFailure("unreachable", 0, "The connection broke while media was uploaded.", cause);
  }
  // The whole is there already: an answer was lost. The commit says whether it is the right one.
  if (response.status === 412) return "present";
  const etag = response.headers.get("etag");
  if (response.ok && etag !== null) return etag;
  const { status } = response;
  const code = response.ok ? "unexpected_answer" : status === 403 ? "bad_signature" : "upload_refused";
  throw storeFailure(code, status, `The upload of media was answered with HTTP ${status}.`);
}
