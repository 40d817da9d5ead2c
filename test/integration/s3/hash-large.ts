// Hashes the object of the second argument in the store of the first (options as JSON), as a commit does, and prints the
// digest and by how much the process grew at most, in bytes.
import { readFileSync } from "node:fs";
import { hashObject } from "../../../src/core/media/hash-object.ts";
import { limits } from "../../../src/protocol/limits.ts";
import { createGarbageBound } from "../../../src/server/media/young-garbage.ts";
import type { S3Options } from "../../../src/stores/s3/connect.ts";
import { createS3MediaObjects } from "../../../src/stores/s3/media-objects.ts";

const [options = "{}", name = ""] = process.argv.slice(2);
const objects = createS3MediaObjects(JSON.parse(options) as S3Options);
// What the client library itself takes is there before.
await objects.sizeBytes(name);
const before = process.memoryUsage.rss();
const digest = await hashObject(
  await objects.read(name),
  limits.mediaBytesMax,
  createGarbageBound(limits.mediaPartBytes),
);
const peak = Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0) * 1024;
objects.close();
process.stdout.write(JSON.stringify({ digest: Buffer.from(digest ?? []).toString("hex"), growthBytes: peak - before }));
