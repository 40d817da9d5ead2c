import type { Uuid } from "../../protocol/ids.ts";
import type { Caller } from "../api.ts";
import type { UploadPart } from "../ports/media.ts";

/** What a client announces before it uploads: both are checked when it commits. */
export interface MediaDraft {
  /** From 1 to mediaBytesMax. */
  readonly sizeBytes: number;
  /** Of the bytes that will be uploaded (the ciphertext), 32 bytes. */
  readonly sha256: Uint8Array;
}

export interface MediaUpload {
  readonly mediaId: Uuid;
  /** Until when the addresses of the parts hold. */
  readonly expiresAt: number;
  readonly parts: readonly UploadPart[];
}

export interface MediaFacts {
  readonly mediaId: Uuid;
  readonly sizeBytes: number;
  readonly sha256: Uint8Array;
}

export interface MediaDownload extends MediaFacts {
  readonly url: string;
  readonly expiresAt: number;
}

/** What a store answered to the upload of a part; a single PUT needs none. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
}

/**
 * Media, from the announcement to the address under which it is read. Whoever knows a media id may read its bytes, which
 * are ciphertext; the key travels in envelopes. Every operation rejects with WireError and nothing else for what a caller
 * or a store did wrong.
 */
export interface MediaApi {
  /** Errors: `too_large`, `bad_request`. */
  begin(caller: Caller, draft: MediaDraft): Promise<MediaUpload>;
  /**
   * Resolves when the whole object is there, has the size and the digest that were announced, and is durable: messages may
   * refer to it then. Idempotent. Errors: `no_such_media`, `forbidden` (somebody else's), `media_incomplete` (upload the
   * rest, then again), `media_mismatch` (for good: the object is deleted), `overloaded`.
   */
  commit(caller: Caller, mediaId: Uuid, parts: readonly UploadedPart[]): Promise<MediaFacts>;
  /** Errors: `no_such_media`. */
  locate(mediaId: Uuid): Promise<MediaDownload>;
}
