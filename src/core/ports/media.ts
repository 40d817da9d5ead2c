import type { Readable } from "node:stream";
import type { Uuid } from "../../protocol/ids.ts";

/**
 * `uploading`: bytes may or may not be there. `ready`: size and digest were checked. `doomed`: being collected; nothing
 * may refer to it any more.
 */
export type MediaState = "uploading" | "ready" | "doomed";

export interface MediaRow {
  readonly mediaId: Uuid;
  readonly ownerId: Uuid;
  readonly state: MediaState;
  /** Random, 128 bits, hex: nobody finds an object by guessing, and none is overwritten. */
  readonly objectName: string;
  readonly sizeBytes: number;
  /** Of the ciphertext, 32 bytes. */
  readonly sha256: Uint8Array;
  /** Of a multipart upload, as the object store calls it; absent = one PUT. */
  readonly uploadId?: string;
  readonly createdAt: number;
  /** When a message first referred to it; 0 = none has. */
  readonly attachedAt: number;
}

/** What is known of media, beside the rows of users. Errors: WireError `store_unavailable`, `storage_full`. */
export interface MediaRows {
  /** Durable when it resolves. The caller made the id and the name. */
  create(row: Omit<MediaRow, "state" | "attachedAt">): Promise<void>;
  byId(mediaId: Uuid): Promise<MediaRow | undefined>;
  /** `uploading` → `ready`; answers the row afterwards, undefined if there is none or it is doomed. Idempotent. */
  ready(mediaId: Uuid): Promise<MediaRow | undefined>;
  /** A message is about to refer to it: false unless it is ready. Idempotent, the first time stays. Durable when it resolves. */
  attach(mediaId: Uuid, at: number): Promise<boolean>;
  /**
   * Dooms at most `rowsMax` rows made before `before` that no message refers to, and answers them together with those
   * doomed earlier and not yet removed: whoever asks deletes the object, then the row. Of an attach and a doom of one row
   * at the same time, one wins and the other sees it.
   */
  doom(before: number, rowsMax: number): Promise<readonly MediaRow[]>;
  /** Forgets a doomed row, after its object was deleted. Idempotent. */
  remove(mediaId: Uuid): Promise<void>;
}

/** One request that the client sends to put bytes [fromByte, toByte) of the media. */
export interface UploadPart {
  /** From 1. */
  readonly number: number;
  readonly url: string;
  /** To be sent exactly; they are bound into the signature. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fromByte: number;
  readonly toByte: number;
}

export interface UploadPlan {
  /** Absent = one PUT of the whole. */
  readonly uploadId?: string;
  readonly parts: readonly UploadPart[];
}

/**
 * The bytes of media. Objects are written once. Errors: WireError `store_unavailable`, `storage_full`.
 */
export interface MediaObjects {
  /** How the client uploads it, by itself, until `expiresAt`. */
  plan(object: { readonly name: string; readonly sizeBytes: number }, expiresAt: number): Promise<UploadPlan>;
  /** Puts the parts of a multipart upload together; resolves as well if that was done before. False: parts are missing. */
  finish(
    name: string,
    uploadId: string,
    parts: readonly { readonly number: number; readonly etag: string }[],
  ): Promise<boolean>;
  /** undefined = there is no such object, or not all of it yet. */
  sizeBytes(name: string): Promise<number | undefined>;
  /** The whole object, to be hashed; the caller reads it to the end or destroys it. */
  read(name: string): Promise<Readable>;
  /** An URL which anyone may GET, with Range, until `expiresAt`. */
  signRead(name: string, expiresAt: number): Promise<string>;
  /** Deletes the object and gives up its upload, if any. Idempotent. */
  remove(name: string, uploadId: string | undefined): Promise<void>;
}
