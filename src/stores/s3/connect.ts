import { S3Client } from "@aws-sdk/client-s3";

export interface S3Options {
  /** http:// or https://, as this process and its clients reach it. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Empty = what the machine's own identity gives. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A request without an answer, or an answer without progress, is given up after this. */
  readonly timeoutMs: number;
}

/** Connections of this process to the store. More requests than that wait for one. */
const connectionsMax = 64;
const attemptsMax = 3;

export function connectS3({ endpoint, region, accessKeyId, secretAccessKey, timeoutMs }: S3Options): S3Client {
  const agent = { maxSockets: connectionsMax, keepAlive: true };
  return new S3Client({
    endpoint,
    region,
    ...(accessKeyId === "" ? {} : { credentials: { accessKeyId, secretAccessKey } }),
    // The bucket in the path: a store on an address of its own has no name for each bucket.
    forcePathStyle: true,
    // Checksums of the library's choosing would have to be sent by whoever uploads, and not every store takes them.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: attemptsMax,
    requestHandler: {
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}
