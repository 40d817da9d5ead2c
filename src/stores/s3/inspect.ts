import { randomBytes } from "node:crypto";
import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { speaksTls } from "../../base/speaks-tls.ts";
import { StoreError } from "../../base/store-error.ts";
import { connectS3, type S3Options } from "./connect.ts";
import { statusOf, toStoreError } from "./errors.ts";
import { createS3MediaObjects } from "./media-objects.ts";

/** Signed addresses begin to hold when they are made, by the clock of whoever made them. */
const clockOffsetMsMax = 60_000;

/** The longest that is looked for TLS where nothing answered in the clear. */
const lookForTlsMs = 2_000;

/**
 * What is wrong with the object store, the bucket, the key or the clocks; empty = all is well. Uploads, reads and deletes
 * one small object, as a client and as the server. Bounded by the time-out of the options.
 */
export async function inspectS3(options: S3Options, nowMs: () => number = Date.now): Promise<readonly StoreError[]> {
  try {
    await findBucket(options);
    const offsetMs = await passObject(options, nowMs);
    return Math.abs(offsetMs) > clockOffsetMsMax ? [skewed(offsetMs)] : [];
  } catch (error) {
    return [await orWantsTls(toStoreError(error), options)];
  }
}

/** A store that wants TLS hangs up on whoever speaks in the clear, or answers in words of its own. */
async function orWantsTls(error: StoreError, { endpoint, timeoutMs }: S3Options): Promise<StoreError> {
  const { protocol, hostname, port } = new URL(endpoint);
  if (protocol !== "http:" || (error.kind !== "unreachable" && error.kind !== "other")) return error;
  if (!(await speaksTls(hostname, Number(port === "" ? "80" : port), Math.min(timeoutMs, lookForTlsMs)))) return error;
  const message = `The object store at ${endpoint} speaks TLS, and s3.endpoint does not.`;
  return new StoreError("s3", "wrong_transport", message, "Write https:// in s3.endpoint.", error);
}

async function findBucket(options: S3Options): Promise<void> {
  const client = connectS3(options);
  try {
    await client.send(new HeadBucketCommand({ Bucket: options.bucket }));
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
    const message = `The object store at ${options.endpoint} has no bucket ${options.bucket}.`;
    throw new StoreError(
      "s3",
      "missing_database",
      message,
      "Make the bucket, or set s3.bucket to one that exists.",
      error,
    );
  } finally {
    client.destroy();
  }
}

/** Answers by how much the store's clock is ahead of ours, ms. */
async function passObject(options: S3Options, nowMs: () => number): Promise<number> {
  const objects = createS3MediaObjects(options, nowMs);
  const name = `msgr-inspect-${randomBytes(16).toString("hex")}`;
  const signal = AbortSignal.timeout(options.timeoutMs);
  try {
    const expiresAt = nowMs() + options.timeoutMs + clockOffsetMsMax;
    const { parts } = await objects.plan({ name, sizeBytes: name.length }, expiresAt);
    for (const { url, headers } of parts) {
      expectOk(await fetch(url, { method: "PUT", headers, body: name, signal }), "upload to");
    }
    const response = await fetch(await objects.signRead(name, expiresAt), { signal });
    expectOk(response, "download from");
    const date = Date.parse(response.headers.get("date") ?? "");
    if ((await response.text()) !== name) throw mangled();
    return Number.isNaN(date) ? 0 : date - nowMs();
  } finally {
    await objects.remove(name, undefined).finally(() => objects.close());
  }
}

function expectOk({ ok, status }: Response, what: string): void {
  if (ok) return;
  const message = `The object store answered ${status} to a signed ${what} the bucket.`;
  const fix =
    "Check s3.access_key_id, s3.region and both clocks; what stands in front of the store must not change Host.";
  throw new StoreError("s3", status >= 500 ? "unreachable" : "wrong_password", message, fix);
}

function mangled(): StoreError {
  const message = "The object store gave back other bytes than it was given.";
  return new StoreError("s3", "other", message, "Look at what stands in front of it: it must not change bodies.");
}

function skewed(offsetMs: number): StoreError {
  const seconds = Math.round(Math.abs(offsetMs) / 1_000);
  const message = `The clock of the object store is ${seconds} s ${offsetMs > 0 ? "ahead of" : "behind"} this machine's.`;
  return new StoreError("s3", "other", message, "Run an NTP client on both (`timedatectl set-ntp true`).");
}
