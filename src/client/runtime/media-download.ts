import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { z } from "zod";
import type { Timer } from "../../base/clock.ts";
import { timeField } from "../../protocol/fields.ts";
import { parseAnswer } from "./answer.ts";
import type { AuthorisedRequest } from "./directory-api.ts";
import { ApiError } from "./http.ts";
import { stallTimeoutMs, storeFailure, waitOrThrow, type RetryDeps } from "./media-retry.ts";
import type { MediaReference } from "./media-upload.ts";

/** The bytes are not those that the reference names. Nothing of them is to be used. */
export class MediaDamagedError extends Error {
  override readonly name = "MediaDamagedError";
}

export interface DownloadOptions {
  readonly signal?: AbortSignal;
}

const locatedBody = z.object({ url: z.url({ protocol: /^https?$/ }), expires_at: timeField });

/**
 * The bytes of media, in pieces. **Only when it ends without an error are they the right ones**: the digest is known at the
 * end. A connection that breaks is taken up where it broke. Throws MediaDamagedError, ApiError (`no_such_media`, …), or
 * the signal's reason.
 */
export async function* downloadMedia(
  request: AuthorisedRequest,
  deps: RetryDeps,
  reference: MediaReference,
  options: DownloadOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const { mediaId, sizeBytes, sha256 } = reference;
  const { signal } = options;
  const hash = createHash("sha256");
  let at = 0;
  let failures = 0;
  let isWhole = false;
  while (!isWhole) {
    const before = at;
    try {
      for await (const piece of readFrom(request, deps, mediaId, at, signal)) {
        at += piece.length;
        if (at > sizeBytes) break;
        hash.update(piece);
        yield piece;
      }
      isWhole = true;
    } catch (error) {
      failures = at > before ? 1 : failures + 1;
      await waitOrThrow(deps, signal, error, failures);
    }
  }
  if (at !== sizeBytes || hash.digest("hex") !== sha256) {
    throw new MediaDamagedError(`media ${mediaId} is not what its message says: another size or digest`);
  }
}

/** Writes media to `path`, which is there whole and right, or not at all. Replaces what was there. */
export async function saveMedia(
  request: AuthorisedRequest,
  deps: RetryDeps,
  reference: MediaReference,
  path: string,
  options: DownloadOptions = {},
): Promise<void> {
  const partial = `${path}.${reference.mediaId}.part`;
  try {
    const handle = await open(partial, "w", 0o600);
    try {
      for await (const piece of downloadMedia(request, deps, reference, options)) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
  } finally {
    await rm(partial, { force: true });
  }
}

/** The bytes from `fromByte` on, over one connection. Throws ApiError when that breaks or stalls. */
async function* readFrom(
  request: AuthorisedRequest,
  { clock }: RetryDeps,
  mediaId: string,
  fromByte: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { url } = parseAnswer(locatedBody, await request({ method: "GET", path: `/api/media/${mediaId}` }));
  const stop = new AbortController();
  const watch = (): Timer => clock.schedule(stallTimeoutMs, () => stop.abort(new Error("no progress")));
  let timer = watch();
  try {
    const response = await fetch(url, {
      headers: fromByte === 0 ? {} : { range: `bytes=${fromByte}-` },
      redirect: "error",
      signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]),
    });
    if (response.status !== (fromByte === 0 ? 200 : 206)) throw refused(response.status);
    for await (const piece of response.body ?? []) {
      timer.cancel();
      yield piece;
      timer = watch();
    }
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw storeFailure("unreachable", 0, "The connection broke while media was downloaded.", cause);
  } finally {
    timer.cancel();
    stop.abort();
  }
}

function refused(status: number): ApiError {
  const code = status === 403 ? "bad_signature" : "download_refused";
  return storeFailure(code, status, `The download of media was answered with HTTP ${status}.`);
}
