import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { MediaObjects, UploadPart } from "../../src/core/ports/media.ts";
import { limits } from "../../src/protocol/limits.ts";

/** An object store with a way to it: clients reach it over HTTP, whoever stands behind its addresses. */
export interface MediaObjectsHarness extends AsyncDisposable {
  readonly objects: MediaObjects;
  /** In front of addresses that are paths. */
  readonly base: string;
}

type MakeHarness = () => Promise<MediaObjectsHarness>;

const newName = (): string => randomBytes(16).toString("hex");
const inOneHour = (): number => Date.now() + 3_600_000;
const urlOf = ({ base }: MediaObjectsHarness, url: string): string => (url.startsWith("/") ? base + url : url);

function put(harness: MediaObjectsHarness, part: UploadPart, bytes: Uint8Array): Promise<Response> {
  const body = bytes.subarray(part.fromByte, part.toByte) as Uint8Array<ArrayBuffer>;
  return fetch(urlOf(harness, part.url), { method: "PUT", headers: part.headers, body });
}

async function etagOf(harness: MediaObjectsHarness, part: UploadPart, bytes: Uint8Array) {
  const response = await put(harness, part, bytes);
  expect([response.status, await response.text()]).toEqual([200, ""]);
  return { number: part.number, etag: response.headers.get("etag") ?? "" };
}

/** An object of one piece that is there. */
async function stored(harness: MediaObjectsHarness, bytes: Uint8Array): Promise<string> {
  const name = newName();
  const plan = await harness.objects.plan({ name, sizeBytes: bytes.length }, inOneHour());
  expect(plan.uploadId).toBeUndefined();
  for (const part of plan.parts) await etagOf(harness, part, bytes);
  return name;
}

async function readAll({ objects }: MediaObjectsHarness, name: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of await objects.read(name)) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

const bodyOf = async (response: Response): Promise<Buffer> => Buffer.from(await response.arrayBuffer());

export function describeMediaObjects(name: string, makeHarness: MakeHarness): void {
  describe(`media objects: ${name}`, () => {
    describe("of one piece", () => {
      pieceTests(makeHarness);
    });
    describe("of several parts", () => {
      partTests(makeHarness);
    });
    describe("addresses", () => {
      addressTests(makeHarness);
    });
  });
}

function pieceTests(makeHarness: MakeHarness): void {
  test("are not there until they are uploaded, then whole", async () => {
    await using harness = await makeHarness();
    const bytes = randomBytes(100_000);
    const object = { name: newName(), sizeBytes: bytes.length };
    const plan = await harness.objects.plan(object, inOneHour());
    expect(plan.parts).toMatchObject([{ number: 1, fromByte: 0, toByte: bytes.length }]);
    expect(await harness.objects.sizeBytes(object.name)).toBeUndefined();
    await etagOf(harness, plan.parts[0] as UploadPart, bytes);
    expect(await harness.objects.sizeBytes(object.name)).toBe(bytes.length);
    expect((await readAll(harness, object.name)).equals(bytes)).toBe(true);
  });

  test("are written once", async () => {
    await using harness = await makeHarness();
    const bytes = randomBytes(1_000);
    const name = newName();
    const [part] = (await harness.objects.plan({ name, sizeBytes: 1_000 }, inOneHour())).parts as [UploadPart];
    await etagOf(harness, part, bytes);
    expect((await put(harness, part, randomBytes(1_000))).status).toBe(412);
    expect((await readAll(harness, name)).equals(bytes)).toBe(true);
  });

  test("have the length that was announced, or are not taken", async () => {
    await using harness = await makeHarness();
    const name = newName();
    const [part] = (await harness.objects.plan({ name, sizeBytes: 1_000 }, inOneHour())).parts as [UploadPart];
    for (const sizeBytes of [999, 1_001]) {
      const response = await put(harness, { ...part, toByte: sizeBytes }, randomBytes(sizeBytes));
      expect([400, 403]).toContain(response.status);
    }
    expect(await harness.objects.sizeBytes(name)).toBeUndefined();
  });

  test("go when they are removed, also twice, also if they never were", async () => {
    await using harness = await makeHarness();
    const name = await stored(harness, randomBytes(10));
    for (let time = 0; time < 2; time++) await harness.objects.remove(name, undefined);
    expect(await harness.objects.sizeBytes(name)).toBeUndefined();
    await harness.objects.remove(newName(), undefined);
    await expect(harness.objects.read(name)).rejects.toMatchObject({ name: "WireError" });
  });
}

function partTests(makeHarness: MakeHarness): void {
  const sizeBytes = 2 * limits.mediaPartBytes + 7;

  test("are there when every part is, whatever the order, and finishing twice is as good as once", async () => {
    await using harness = await makeHarness();
    const bytes = randomBytes(sizeBytes);
    const name = newName();
    const { parts, uploadId = "" } = await harness.objects.plan({ name, sizeBytes }, inOneHour());
    expect(parts.map(({ number, fromByte, toByte }) => [number, toByte - fromByte])).toEqual([
      [1, limits.mediaPartBytes],
      [2, limits.mediaPartBytes],
      [3, 7],
    ]);
    const done = [];
    for (const part of parts.toReversed()) done.unshift(await etagOf(harness, part, bytes));
    expect(await harness.objects.sizeBytes(name)).toBeUndefined();
    for (let time = 0; time < 2; time++) expect(await harness.objects.finish(name, uploadId, done)).toBe(true);
    expect(await harness.objects.sizeBytes(name)).toBe(sizeBytes);
    expect((await readAll(harness, name)).equals(bytes)).toBe(true);
    await harness.objects.remove(name, uploadId);
    expect(await harness.objects.sizeBytes(name)).toBeUndefined();
  });

  test("are not finished while a part is missing or another than named; the last one put counts", async () => {
    await using harness = await makeHarness();
    const bytes = randomBytes(limits.mediaPartBytes + 7);
    const name = newName();
    const plan = await harness.objects.plan({ name, sizeBytes: bytes.length }, inOneHour());
    const [one, two] = plan.parts as [UploadPart, UploadPart];
    const finish = (...parts: { number: number; etag: string }[]) =>
      harness.objects.finish(name, plan.uploadId ?? "", parts);
    const stale = await etagOf(harness, one, randomBytes(bytes.length));
    const first = await etagOf(harness, one, bytes);
    expect(await finish(first, { number: 2, etag: first.etag })).toBe(false);
    const second = await etagOf(harness, two, bytes);
    expect(await finish(stale, second)).toBe(false);
    expect(await finish(first, second)).toBe(true);
    expect((await readAll(harness, name)).equals(bytes)).toBe(true);
    await harness.objects.remove(name, plan.uploadId);
  });

  test("have parts of the length that was announced, or do not take them", async () => {
    await using harness = await makeHarness();
    const name = newName();
    const plan = await harness.objects.plan({ name, sizeBytes: limits.mediaPartBytes + 7 }, inOneHour());
    const last = plan.parts[1] as UploadPart;
    const response = await put(harness, { ...last, fromByte: 0, toByte: 8 }, randomBytes(8));
    expect([400, 403]).toContain(response.status);
    await harness.objects.remove(name, plan.uploadId);
  });

  test("leave nothing when their upload is given up, also twice", async () => {
    await using harness = await makeHarness();
    const bytes = randomBytes(limits.mediaPartBytes + 7);
    const name = newName();
    const { parts, uploadId = "" } = await harness.objects.plan({ name, sizeBytes: bytes.length }, inOneHour());
    const done = [];
    for (const part of parts) done.push(await etagOf(harness, part, bytes));
    for (let time = 0; time < 2; time++) await harness.objects.remove(name, uploadId);
    expect(await harness.objects.finish(name, uploadId, done)).toBe(false);
    expect(await harness.objects.sizeBytes(name)).toBeUndefined();
  });
}

function addressTests(makeHarness: MakeHarness): void {
  test("give the object to anybody, whole or a range of it, as bytes that nobody interprets", async () => {
    await using harness = await makeHarness();
    const bytes = randomBytes(10_000);
    const url = urlOf(harness, await harness.objects.signRead(await stored(harness, bytes), inOneHour()));
    const whole = await fetch(url);
    expect(whole.status).toBe(200);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      "cache-control": "private, max-age=31536000, immutable",
      "content-disposition": "attachment",
      "content-length": "10000",
      "content-type": "application/octet-stream",
      etag: expect.stringMatching(/^".+"$/) as unknown,
    });
    expect((await bodyOf(whole)).equals(bytes)).toBe(true);
    const range = await fetch(url, { headers: { range: "bytes=10-19" } });
    expect(range.status).toBe(206);
    expect(Object.fromEntries(range.headers)).toMatchObject({
      "accept-ranges": "bytes",
      "content-length": "10",
      "content-range": "bytes 10-19/10000",
    });
    expect((await bodyOf(range)).equals(bytes.subarray(10, 20))).toBe(true);
    expect((await fetch(url, { headers: { range: "bytes=10000-" } })).status).toBe(416);
  });

  test("are worth nothing when they were changed, or for another object or another use", async () => {
    await using harness = await makeHarness();
    const [name, other] = [await stored(harness, randomBytes(10)), await stored(harness, randomBytes(10))];
    const url = urlOf(harness, await harness.objects.signRead(name, inOneHour()));
    const wrong = [url.replace(name, other), url.replace(/([Ss]ignature=).{6}/, "$1000000")];
    for (const changed of wrong) {
      expect(changed).not.toBe(url);
      expect((await fetch(changed)).status).toBe(403);
    }
    expect((await fetch(url, { method: "PUT", body: "0123456789" })).status).toBe(403);
    const fresh = newName();
    const [part] = (await harness.objects.plan({ name: fresh, sizeBytes: 10 }, inOneHour())).parts as [UploadPart];
    const moved = { ...part, url: part.url.replace(fresh, newName()) };
    expect((await put(harness, moved, randomBytes(10))).status).toBe(403);
  });

  test("end when they should", async () => {
    await using harness = await makeHarness();
    const url = urlOf(
      harness,
      await harness.objects.signRead(await stored(harness, randomBytes(10)), Date.now() + 1_000),
    );
    const statuses = new Set<number>();
    await expect
      .poll(async () => statuses.add((await fetch(url)).status).has(403), { timeout: 10_000, interval: 100 })
      .toBe(true);
    expect([...statuses].filter((status) => status !== 200 && status !== 403)).toEqual([]);
  });
}
