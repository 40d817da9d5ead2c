import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { present } from "../../base/assert.ts";
import { objectHeaders } from "../../core/media/object-headers.ts";
import { isMultipart, planParts } from "../../core/media/part-plan.ts";
import type { MediaObjects, UploadPlan } from "../../core/ports/media.ts";
import { connectS3, type S3Options } from "./connect.ts";
import { hasCode, orWireError, statusOf } from "./errors.ts";

export interface S3MediaObjects extends MediaObjects {
  /** Ends the connections. Idempotent. */
  close(): void;
}

/**
 * Media in a bucket of an S3 store. Clients upload and download without this process; lengths, and that nothing is
 * overwritten, are part of what is signed. Opens no connection by itself: see inspectS3 for what may be wrong.
 */
export function createS3MediaObjects(options: S3Options, nowMs: () => number = Date.now): S3MediaObjects {
  const client = connectS3(options);
  const bucket: Bucket = {
    client,
    name: options.bucket,
    secondsUntil: (expiresAt) => Math.min(Math.max(Math.ceil((expiresAt - nowMs()) / 1_000), 1), signedSecondsMax),
  };
  return {
    plan: ({ name, sizeBytes }, expiresAt) =>
      orWireError(() =>
        isMultipart(sizeBytes)
          ? planMultipart(bucket, name, sizeBytes, expiresAt)
          : planPut(bucket, name, sizeBytes, expiresAt),
      ),
    finish: (name, uploadId, parts) => orWireError(() => finish(bucket, name, uploadId, parts)),
    sizeBytes: (name) => orWireError(() => sizeOf(bucket, name)),
    read: (name) =>
      orWireError(async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket.name, Key: name }));
        return present(Body, "the body of an object") as Readable;
      }),
    signRead: (name, expiresAt) => orWireError(() => signRead(bucket, name, expiresAt)),
    remove: (name, uploadId) => orWireError(() => remove(bucket, name, uploadId)),
    close: () => client.destroy(),
  };
}

interface Bucket {
  readonly client: S3Client;
  readonly name: string;
  /** For which signatures hold: at least one, at most what the signing knows. */
  secondsUntil(expiresAt: number): number;
}

/** Seven days, a bound of AWS Signature Version 4. */
const signedSecondsMax = 604_800;

async function planPut(bucket: Bucket, name: string, sizeBytes: number, expiresAt: number): Promise<UploadPlan> {
  const command = new PutObjectCommand({ Bucket: bucket.name, Key: name, ContentLength: sizeBytes, IfNoneMatch: "*" });
  const url = await getSignedUrl(bucket.client, command, {
    expiresIn: bucket.secondsUntil(expiresAt),
    signableHeaders: new Set(["host", "content-length", "if-none-match"]),
  });
  return { parts: planParts(sizeBytes).map((part) => ({ ...part, url, headers: { "if-none-match": "*" } })) };
}

async function planMultipart(bucket: Bucket, name: string, sizeBytes: number, expiresAt: number): Promise<UploadPlan> {
  const created = await bucket.client.send(
    new CreateMultipartUploadCommand({ Bucket: bucket.name, Key: name, ContentType: objectHeaders.contentType }),
  );
  const uploadId = present(created.UploadId, "the id of a multipart upload");
  const parts = await Promise.all(
    planParts(sizeBytes).map(async (part) => {
      const command = new UploadPartCommand({
        Bucket: bucket.name,
        Key: name,
        UploadId: uploadId,
        PartNumber: part.number,
        ContentLength: part.toByte - part.fromByte,
      });
      const url = await getSignedUrl(bucket.client, command, {
        expiresIn: bucket.secondsUntil(expiresAt),
        signableHeaders: new Set(["host", "content-length"]),
      });
      return { ...part, url, headers: {} };
    }),
  );
  return { uploadId, parts };
}

async function finish(
  bucket: Bucket,
  name: string,
  uploadId: string,
  parts: readonly { readonly number: number; readonly etag: string }[],
): Promise<boolean> {
  const named = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
  try {
    await bucket.client.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket.name,
        Key: name,
        UploadId: uploadId,
        MultipartUpload: { Parts: named },
      }),
    );
    return true;
  } catch (error) {
    if (hasCode(error, "InvalidPart", "InvalidPartOrder", "EntityTooSmall")) return false;
    // Of an upload that was completed before, some stores know nothing any more.
    if (!hasCode(error, "NoSuchUpload", "NoSuchKey")) throw error;
    return (await sizeOf(bucket, name)) !== undefined;
  }
}

async function sizeOf({ client, name: bucket }: Bucket, name: string): Promise<number | undefined> {
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: name }));
    return head.ContentLength;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

function signRead(bucket: Bucket, name: string, expiresAt: number): Promise<string> {
  const command = new GetObjectCommand({
    Bucket: bucket.name,
    Key: name,
    ResponseCacheControl: objectHeaders.cacheControl,
    ResponseContentDisposition: objectHeaders.contentDisposition,
    ResponseContentType: objectHeaders.contentType,
  });
  return getSignedUrl(bucket.client, command, { expiresIn: bucket.secondsUntil(expiresAt) });
}

/** The upload first: once it is gone, no late commit can make the object again. */
async function remove({ client, name: bucket }: Bucket, name: string, uploadId: string | undefined): Promise<void> {
  if (uploadId !== undefined) {
    try {
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: name, UploadId: uploadId }));
    } catch (error) {
      if (!hasCode(error, "NoSuchUpload", "NoSuchKey")) throw error;
    }
  }
  await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: name }));
}
