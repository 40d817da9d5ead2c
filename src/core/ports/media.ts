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
  /**
   * `uploading` → `doomed`: its bytes are not those that were announced. True: it is doomed now, by this call or before.
   * False: it is ready, or there is none. Of a ready and a reject of one row at the same time, one wins and the other sees it.
   */
  reject(mediaId: Uuid): Promise<boolean>;
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

/** What a send needs of media. */
export type MediaAttachments = Pick<MediaRows, "attach">;

/** One request that the client sends to put bytes [fromByte, toByte) of the media. */
export interface UploadPart {
  /** From 1. */
  readonly number: number;
  /** Absolute, or a path (beginning with `/`) on the server that was asked. */
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
  /** An URL which anyone may GET, with Range, until `expiresAt`; absolute, or a path on the server that was asked. */
  signRead(name: string, expiresAt: number): Promise<string>;
  /** Deletes the object and gives up its upload, if any. Idempotent. */
  remove(name: string, uploadId: string | undefined): Promise<void>;
}

/** What a signed address of this server lets its bearer do. */
export type MediaGrant =
  | { readonly action: "read"; readonly name: string }
  | {
      readonly action: "write";
      readonly name: string;
      /** 0 = the whole object in one piece; else the number of the part. */
      readonly part: number;
      readonly sizeBytes: number;
    };

/** An object that is open for reading; whoever opened it disposes of it, also after reading. Idempotent. */
export interface OpenMedia extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Bytes [fromByte, toByte), in pieces of bounded size. Once: the end of the stream closes the object. */
  read(fromByte: number, toByte: number): Readable;
}

/**
 * Media objects that the server process itself keeps: what stands behind the addresses under /media. Errors: WireError
 * `store_unavailable`, `storage_full`, `overloaded`.
 */
export interface MediaFiles {
  /** What the address allows at `now`; undefined = forged, changed, or expired. `query`: as it was sent. */
  grant(method: "GET" | "PUT", name: string, query: URLSearchParams, now: number): MediaGrant | undefined;
  /**
   * Durable when it resolves with the part's ETag. Errors: `media_exists`, `bad_request` (other than `sizeBytes` bytes
   * came), and whatever `body` failed with. Nothing is kept of a write that failed; of two writes of one part at the same
   * time the later one ends the earlier.
   */
  write(grant: Extract<MediaGrant, { action: "write" }>, body: Readable): Promise<string>;
  /** undefined = there is no such object. */
  open(name: string): Promise<OpenMedia | undefined>;
}
