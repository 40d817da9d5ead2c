import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createSystemRandom } from "../../../src/base/random.ts";
import { mediaReserveBytes, openFilesystemMedia } from "../../../src/stores/filesystem/media.ts";
import { temporaryFolder } from "../../helpers/server-process.ts";

const random = createSystemRandom();
const newName = (): string => randomBytes(16).toString("hex");
const grantTo = (name: string, sizeBytes: number, part = 0) => ({ action: "write", name, part, sizeBytes }) as const;
const code = (name: string) => expect.objectContaining({ code: name }) as unknown;
const incoming = (folder: string): string[] => readdirSync(`${folder}/incoming`);

test("uploads leave room for messages: below the reserve they are refused, planned or begun", async () => {
  using folder = temporaryFolder();
  let free = mediaReserveBytes + 100;
  const media = await openFilesystemMedia(folder.path, { random, freeBytes: () => free });
  const name = newName();
  const plan = (sizeBytes: number) => media.plan({ name, sizeBytes }, Date.now());
  expect((await plan(100)).parts).toHaveLength(1);
  await expect(plan(101)).rejects.toEqual(code("storage_full"));
  free--;
  await expect(media.write(grantTo(name, 100), Readable.from([Buffer.alloc(100)]))).rejects.toEqual(
    code("storage_full"),
  );
  free++;
  await media.write(grantTo(name, 100), Readable.from([Buffer.alloc(100)]));
  expect(await media.sizeBytes(name)).toBe(100);
});

test("a file that the system does not let grow any further is refused as storage_full, and nothing of it is left", () => {
  using folder = temporaryFolder();
  const writer = fileURLToPath(new URL("./writer.ts", import.meta.url));
  const run = (sizeBytes: number): unknown => {
    const command = `ulimit -f 1000 && exec "$0" --no-warnings "$1" "$2" "$3"`;
    const words = ["-c", command, process.execPath, writer, `${folder.path}/media`, String(sizeBytes)];
    return JSON.parse(execFileSync("bash", words, { encoding: "utf8" }));
  };
  expect(run(3_000_000)).toEqual({ outcome: "storage_full", left: [] });
  expect(run(500_000)).toEqual({ outcome: "written", left: [] });
});

test("what a killed process was writing is gone after a start; objects, parts and addresses are still good", async () => {
  using folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random });
  const [whole, begun] = [newName(), newName()];
  await media.write(grantTo(whole, 3), Readable.from([Buffer.from("abc")]));
  const etag = await media.write(grantTo(begun, 3, 1), Readable.from([Buffer.from("def")]));
  const address = new URL(await media.signRead(whole, Date.now() + 60_000), "http://server");
  writeFileSync(`${folder.path}/incoming/half`, "half");
  const next = await openFilesystemMedia(folder.path, { random });
  expect(incoming(folder.path)).toEqual([]);
  expect(await next.sizeBytes(whole)).toBe(3);
  expect(await next.finish(begun, "parts", [{ number: 1, etag }])).toBe(true);
  expect(next.grant("GET", whole, address.searchParams, Date.now())).toEqual({ action: "read", name: whole });
  writeFileSync(`${folder.path}/signing-key`, "damaged");
  const other = await openFilesystemMedia(folder.path, { random });
  expect(other.grant("GET", whole, address.searchParams, Date.now())).toBeUndefined();
});

test("a client that comes back takes the place of its own broken upload", async () => {
  using folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random });
  const name = newName();
  const hanging = new PassThrough();
  hanging.write("ab");
  const first = media.write(grantTo(name, 3), hanging);
  const ended = first.catch((error: unknown) => error);
  await expect.poll(() => incoming(folder.path).length).toBe(1);
  await media.write(grantTo(name, 3), Readable.from([Buffer.from("abc")]));
  expect(await ended).toEqual(code("media_exists"));
  expect([incoming(folder.path), await media.sizeBytes(name)]).toEqual([[], 3]);
});

test("an object that is removed while it is written does not appear afterwards, nor does a late part of a finished one", async () => {
  using folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random });
  const [removed, finished] = [newName(), newName()];
  const bodies = [new PassThrough(), new PassThrough()];
  const writes = [media.write(grantTo(removed, 4), bodies[0]!), media.write(grantTo(finished, 4, 1), bodies[1]!)];
  const ended = Promise.all(writes.map((write) => write.catch((error: unknown) => error)));
  for (const body of bodies) body.write("ab");
  await expect.poll(() => incoming(folder.path).length).toBe(2);
  await media.remove(removed, undefined);
  const etag = await media.write(grantTo(finished, 4, 2), Readable.from([Buffer.from("abcd")]));
  expect(await media.finish(finished, "parts", [{ number: 2, etag }])).toBe(true);
  expect(await ended).toEqual([code("media_exists"), code("media_exists")]);
  expect([await media.sizeBytes(removed), incoming(folder.path), readdirSync(`${folder.path}/parts`)]).toEqual([
    undefined,
    [],
    [],
  ]);
});

test("a body that is shorter or longer than announced is refused and leaves nothing", async () => {
  using folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random });
  const name = newName();
  for (const body of ["ab", "abcd"]) {
    const write = media.write(grantTo(name, 3), Readable.from([Buffer.from(body)]));
    await expect(write).rejects.toEqual(code("bad_request"));
  }
  expect([incoming(folder.path), await media.sizeBytes(name)]).toEqual([[], undefined]);
});

test("more uploads at once than there may be are told to come back", async () => {
  using folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random, writesMax: 2 });
  const bodies = [new PassThrough(), new PassThrough()];
  const writes = bodies.map((body) => media.write(grantTo(newName(), 1), body));
  await expect(media.write(grantTo(newName(), 1), Readable.from([Buffer.from("x")]))).rejects.toEqual(
    code("overloaded"),
  );
  for (const body of bodies) body.end("x");
  await Promise.all(writes);
  expect(await media.write(grantTo(newName(), 1), Readable.from([Buffer.from("x")]))).toMatch(/^"[0-9a-f]{16}"$/);
});

test("a reader gets what it asked for, and a folder that cannot be written says so", async () => {
  using folder = temporaryFolder();
  const media = await openFilesystemMedia(folder.path, { random });
  const name = newName();
  await media.write(grantTo(name, 10), Readable.from([Buffer.from("0123456789")]));
  const opened = await media.open(name);
  const bytes = opened!.read(2, 5);
  expect(Buffer.concat((await bytes.toArray()) as Buffer[]).toString()).toBe("234");
  for (let time = 0; time < 2; time++) await opened![Symbol.asyncDispose]();
  expect(await media.open(newName())).toBeUndefined();
  const abandoned = await media.open(name);
  const reading = abandoned!.read(0, 10);
  reading.destroy();
  await once(reading, "close");
  mkdirSync(`${folder.path}/blocked`);
  writeFileSync(`${folder.path}/blocked/media`, "a file");
  await expect(openFilesystemMedia(`${folder.path}/blocked/media`, { random })).rejects.toMatchObject({
    code: expect.stringMatching(/^E/) as unknown,
  });
});
