import { randomBytes } from "node:crypto";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
} from "@aws-sdk/client-s3";
import type { Config } from "../../src/server/config/config-schema.ts";
import { connectS3, type S3Options } from "../../src/stores/s3/connect.ts";
import { realStoreConfig } from "./real-stores.ts";

export function s3OptionsOf({ s3 }: Config): S3Options {
  return {
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: s3.bucket,
    accessKeyId: s3.access_key_id,
    secretAccessKey: s3.secret_access_key ?? "",
    timeoutMs: s3.timeout_ms,
  };
}

/** A bucket of its own in the object store of the run, which goes with everything in it. */
export async function makeBucket(): Promise<{ readonly options: S3Options } & AsyncDisposable> {
  const options = s3OptionsOf(realStoreConfig({ "s3.bucket": `t-${randomBytes(6).toString("hex")}` }));
  const Bucket = options.bucket;
  const client = connectS3(options);
  await client.send(new CreateBucketCommand({ Bucket }));
  return {
    options,
    async [Symbol.asyncDispose]() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
      for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }));
      await client.send(new DeleteBucketCommand({ Bucket }));
      client.destroy();
    },
  };
}
