import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { limits } from "../../../src/protocol/limits.ts";
import { createS3MediaObjects } from "../../../src/stores/s3/media-objects.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { makeBucket } from "../../helpers/s3-bucket.ts";

const run = promisify(execFile);

describeOn(["s3"], "100 MiB in the object store", () => {
  test("are looked at by a process that grows by less than 64 MiB", async () => {
    await using bucket = await makeBucket();
    const objects = createS3MediaObjects(bucket.options);
    const name = randomBytes(16).toString("hex");
    const piece = randomBytes(limits.mediaPartBytes);
    const hash = createHash("sha256");
    const plan = await objects.plan({ name, sizeBytes: limits.mediaBytesMax }, Date.now() + 600_000);
    const parts = [];
    for (const { number, url, fromByte, toByte } of plan.parts) {
      const body = piece.subarray(0, toByte - fromByte);
      hash.update(body);
      const response = await fetch(url, { method: "PUT", body });
      expect(response.status).toBe(200);
      parts.push({ number, etag: response.headers.get("etag") ?? "" });
    }
    expect(await objects.finish(name, plan.uploadId ?? "", parts)).toBe(true);
    const script = fileURLToPath(new URL("./hash-large.ts", import.meta.url));
    const words = ["--no-warnings", script, JSON.stringify(bucket.options), name];
    const { stdout } = await run(process.execPath, words);
    const { digest, growthBytes } = JSON.parse(stdout) as { digest: string; growthBytes: number };
    expect(digest).toBe(hash.digest("hex"));
    expect(growthBytes).toBeLessThan(64 * 1024 * 1024);
    process.stdout.write(`      the process grew by ${Math.round(growthBytes / 1024 / 1024)} MiB\n`);
    objects.close();
  }, 120_000);
});
