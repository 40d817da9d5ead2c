import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../../test/helpers/core-ports/manual-clock.ts";
import { MemoryMediaObjects, MemoryMediaRows } from "../../../test/helpers/core-ports/memory-media-stores.ts";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { WireError } from "../../protocol/wire-errors.ts";
import type { MediaRow } from "../ports/media.ts";
import { createMedia } from "./create-media.ts";
import type { MediaApi } from "./media-api.ts";

const random = createSeededRandom(7);
const owner = { userId: createUuidV7(1, random), device: 1 };
const urlTtlMs = 1_000;
const bytes = Buffer.from("some ciphertext");
const sha256 = createHash("sha256").update(bytes).digest();

let clock: ManualClock;
let rows: MemoryMediaRows;
let objects: MemoryMediaObjects;
let media: MediaApi;
let events: string[];
let passedBytes = 0;

beforeEach(() => {
  clock = new ManualClock();
  rows = new MemoryMediaRows();
  objects = new MemoryMediaObjects();
  events = [];
  passedBytes = 0;
  media = create();
});

function create(commitsAtOnceMax?: number): MediaApi {
  return createMedia({
    rows,
    objects,
    clock,
    random,
    urlTtlMs,
    ...(commitsAtOnceMax === undefined ? {} : { commitsAtOnceMax }),
    onUpload: () => void events.push("upload"),
    onCommit: (outcome) => void events.push(outcome),
    onPassed: (count) => (passedBytes += count),
  });
}

const code = (name: string) => expect.objectContaining({ code: name }) as unknown;
const nameOf = (mediaId: Uuid): string => (rows.rows.get(mediaId) as MediaRow).objectName;

/** An upload whose bytes are there. */
async function uploaded(content: Uint8Array = bytes): Promise<Uuid> {
  const { mediaId } = await media.begin(owner, { sizeBytes: bytes.length, sha256 });
  objects.objects.set(nameOf(mediaId), content);
  return mediaId;
}

describe("an upload", () => {
  test("gets an id, a name that nobody guesses, and addresses for a while", async () => {
    const one = await media.begin(owner, { sizeBytes: 10, sha256 });
    const other = await media.begin(owner, { sizeBytes: limits.mediaPartBytes + 1, sha256 });
    expect(one.expiresAt).toBe(clock.nowMs() + urlTtlMs);
    expect([one.parts.length, other.parts.length]).toEqual([1, 2]);
    expect(nameOf(one.mediaId)).toMatch(/^[0-9a-f]{32}$/);
    expect(nameOf(other.mediaId)).not.toBe(nameOf(one.mediaId));
    expect(rows.rows.get(other.mediaId)).toMatchObject({
      state: "uploading",
      uploadId: "upload",
      createdAt: clock.nowMs(),
    });
    expect(rows.rows.get(one.mediaId)).not.toHaveProperty("uploadId");
    expect(events).toEqual(["upload", "upload"]);
  });

  test("that is too large is refused before anything is asked of a store", async () => {
    const asked = media.begin(owner, { sizeBytes: limits.mediaBytesMax + 1, sha256 });
    await expect(asked).rejects.toEqual(code("too_large"));
    expect([rows.rows.size, events]).toEqual([0, []]);
  });
});

describe("a commit", () => {
  test("makes media ready that is what was announced; again, it reads nothing", async () => {
    const mediaId = await uploaded();
    const facts = { mediaId, sizeBytes: bytes.length, sha256 };
    for (let time = 0; time < 3; time++) expect(await media.commit(owner, mediaId, [])).toEqual(facts);
    expect([objects.reads, rows.rows.get(mediaId)?.state]).toEqual([1, "ready"]);
    expect(passedBytes).toBe(bytes.length);
    expect(events).toEqual(["upload", "committed"]);
  });

  test("asked for many times at once is one", async () => {
    const mediaId = await uploaded();
    await Promise.all(Array.from({ length: 5 }, () => media.commit(owner, mediaId, [])));
    expect(objects.reads).toBe(1);
  });

  test.each([
    ["another digest", Buffer.from("SOME ciphertext")],
    ["fewer bytes", bytes.subarray(1)],
    ["more bytes", Buffer.concat([bytes, bytes])],
  ])("of %s deletes the object and dooms the row", async (_what, content) => {
    const mediaId = await uploaded(content);
    const name = nameOf(mediaId);
    await expect(media.commit(owner, mediaId, [])).rejects.toEqual(code("media_mismatch"));
    expect([objects.removed, rows.rows.get(mediaId)?.state]).toEqual([[name], "doomed"]);
    await expect(media.commit(owner, mediaId, [])).rejects.toEqual(code("no_such_media"));
    expect(events).toEqual(["upload", "mismatch"]);
  });

  test("of bytes that are longer than the store said is a mismatch too", async () => {
    const mediaId = await uploaded();
    objects.read = async () => Readable.from([bytes, Buffer.from("more")]);
    await expect(media.commit(owner, mediaId, [])).rejects.toEqual(code("media_mismatch"));
  });

  test("never deletes what another process has made ready meanwhile", async () => {
    const mediaId = await uploaded();
    objects.read = async () => {
      await rows.ready(mediaId);
      return Readable.from([Buffer.from("torn")]);
    };
    expect(await media.commit(owner, mediaId, [])).toMatchObject({ mediaId });
    expect([objects.removed, rows.rows.get(mediaId)?.state]).toEqual([[], "ready"]);
  });

  test("of what was collected while it was read answers that it is gone", async () => {
    const mediaId = await uploaded();
    objects.read = async () => {
      await rows.doom(Number.MAX_SAFE_INTEGER, 1);
      return Readable.from([bytes]);
    };
    await expect(media.commit(owner, mediaId, [])).rejects.toEqual(code("no_such_media"));
  });

  test("of an object that cannot be read to its end may be repeated", async () => {
    const mediaId = await uploaded();
    const read = objects.read.bind(objects);
    objects.read = async () =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, 3);
          throw new Error("the disk");
        })(),
      );
    await expect(media.commit(owner, mediaId, [])).rejects.toEqual(code("store_unavailable"));
    objects.read = read;
    expect(await media.commit(owner, mediaId, [])).toMatchObject({ mediaId });
  });

  test("of several parts names each of them once; anything else is incomplete, and the store is not asked", async () => {
    const { mediaId } = await media.begin(owner, { sizeBytes: 2 * limits.mediaPartBytes + 1, sha256 });
    const part = (number: number) => ({ number, etag: `"${number}"` });
    for (const named of [[], [part(1), part(2)], [part(1), part(2), part(2)], [part(1), part(2), part(3), part(4)]]) {
      await expect(media.commit(owner, mediaId, named)).rejects.toEqual(code("media_incomplete"));
    }
    expect(objects.finished.size).toBe(0);
    await expect(media.commit(owner, mediaId, [part(3), part(1), part(2)])).rejects.toEqual(code("media_incomplete"));
    expect(objects.finished.get(nameOf(mediaId))).toEqual([part(1), part(2), part(3)]);
  });

  test("waits for its turn, in order; beyond the bound it is refused", async () => {
    media = create(1);
    const gate = Promise.withResolvers<void>();
    objects.read = async () => {
      objects.reads++;
      await gate.promise;
      return Readable.from([bytes]);
    };
    const ids: Uuid[] = [];
    for (let count = 0; count < limits.mediaCommitsWaitingMax + 2; count++) ids.push(await uploaded());
    const commits = ids.map((mediaId) => media.commit(owner, mediaId, []));
    await expect(commits.pop()).rejects.toEqual(code("overloaded"));
    expect(objects.reads).toBe(1);
    gate.resolve();
    expect(await Promise.all(commits)).toHaveLength(limits.mediaCommitsWaitingMax + 1);
  });

  test("is for its owner, and for what there is", async () => {
    const mediaId = await uploaded();
    const stranger = { userId: createUuidV7(2, random), device: 1 };
    await expect(media.commit(stranger, mediaId, [])).rejects.toEqual(code("forbidden"));
    await expect(media.commit(owner, createUuidV7(2, random), [])).rejects.toEqual(code("no_such_media"));
    objects.sizeBytes = () => Promise.reject(new WireError("store_unavailable"));
    await expect(media.commit(owner, mediaId, [])).rejects.toEqual(code("store_unavailable"));
  });
});

test("only what was committed has an address to read it", async () => {
  const mediaId = await uploaded();
  await expect(media.locate(mediaId)).rejects.toEqual(code("no_such_media"));
  await media.commit(owner, mediaId, []);
  const expiresAt = clock.nowMs() + urlTtlMs;
  expect(await media.locate(mediaId)).toEqual({
    mediaId,
    sizeBytes: bytes.length,
    sha256,
    expiresAt,
    url: `/${nameOf(mediaId)}?${expiresAt}`,
  });
});
