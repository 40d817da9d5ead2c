import { once } from "node:events";
import { createServer } from "node:http";
import net, { type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { S3Options } from "../../../src/stores/s3/connect.ts";
import { inspectS3 } from "../../../src/stores/s3/inspect.ts";
import { createS3MediaObjects } from "../../../src/stores/s3/media-objects.ts";
import { describeOn } from "../../helpers/real-stores.ts";
import { makeBucket } from "../../helpers/s3-bucket.ts";

const nowhere: S3Options = {
  endpoint: "http://127.0.0.1:1",
  region: "us-east-1",
  bucket: "none",
  accessKeyId: "key",
  secretAccessKey: "secret",
  timeoutMs: 300,
};

const kindsOf = async (options: S3Options, nowMs?: () => number): Promise<readonly string[]> =>
  (await inspectS3(options, nowMs)).map(({ kind }) => kind);

describe("an object store that is not there", () => {
  test("is named by the inspection, and told to clients as one that does not answer", async () => {
    expect(await kindsOf(nowhere)).toEqual(["unreachable"]);
    const objects = createS3MediaObjects(nowhere);
    const unavailable = { name: "WireError", code: "store_unavailable" };
    await expect(objects.sizeBytes("x")).rejects.toMatchObject(unavailable);
    await expect(objects.read("x")).rejects.toMatchObject(unavailable);
    await expect(objects.remove("x", "upload")).rejects.toMatchObject(unavailable);
    await expect(objects.plan({ name: "x", sizeBytes: 10 * 1024 * 1024 }, Date.now())).rejects.toMatchObject(
      unavailable,
    );
    objects.close();
  });

  test("but takes connections and says nothing is given up after its time", async () => {
    const sockets = new Set<net.Socket>();
    const silent = net.createServer((socket) => void sockets.add(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    expect(await kindsOf({ ...nowhere, endpoint })).toEqual(["unreachable"]);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test("and one that stops in the middle of an object ends its reader", async () => {
    const stalling = createServer((_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("half");
    });
    stalling.listen(0, "127.0.0.1");
    await once(stalling, "listening");
    const endpoint = `http://127.0.0.1:${(stalling.address() as AddressInfo).port}`;
    const objects = createS3MediaObjects({ ...nowhere, endpoint });
    const bytes = await objects.read("x");
    await expect(bytes.toArray()).rejects.toMatchObject({ name: "TimeoutError" });
    objects.close();
    stalling.closeAllConnections();
    stalling.close();
  });
});

describeOn(["s3"], "an object store", () => {
  test("with everything in order has nothing to complain about, and keeps nothing of the inspection", async () => {
    await using bucket = await makeBucket();
    expect(await inspectS3(bucket.options)).toEqual([]);
    // A bucket with something in it could not be deleted below.
  });

  test("without the bucket, or with another key, says which", async () => {
    await using bucket = await makeBucket();
    const missing = await inspectS3({ ...bucket.options, bucket: "t-not-there" });
    expect(missing).toMatchObject([
      { kind: "missing_database", message: expect.stringContaining("t-not-there") as unknown },
    ]);
    expect(await kindsOf({ ...bucket.options, secretAccessKey: "wrong" })).toEqual(["wrong_password"]);
    expect(await kindsOf({ ...bucket.options, accessKeyId: "nobody" })).toEqual(["wrong_password"]);
  });

  test("with another time than this machine is noticed", async () => {
    await using bucket = await makeBucket();
    const findings = await inspectS3(bucket.options, () => Date.now() - 180_000);
    expect(findings).toMatchObject([
      { kind: "other", message: expect.stringMatching(/clock.*1[78]\d s ahead/) as unknown },
    ]);
  });
});
