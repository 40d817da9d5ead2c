import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { MediaRow, MediaRows } from "../../src/core/ports/media.ts";
import type { Uuid } from "../../src/protocol/ids.ts";
import { newId, type MakeDurableHarness } from "./durable-harness.ts";

const createdAt = 1_700_000_000_000;

type NewRow = Omit<MediaRow, "state" | "attachedAt">;

function newRow(over: Partial<NewRow> = {}): NewRow {
  const mediaId = newId();
  return {
    mediaId,
    ownerId: newId(),
    objectName: createHash("md5").update(mediaId).digest("hex"),
    sizeBytes: 1_234_567,
    sha256: createHash("sha256").update(mediaId).digest(),
    createdAt,
    ...over,
  };
}

async function createReady(store: MediaRows, over: Partial<NewRow> = {}): Promise<Uuid> {
  const row = newRow(over);
  await store.create(row);
  await store.ready(row.mediaId);
  return row.mediaId;
}

/** Digests as text, since one store answers a Buffer and another a plain array of the same bytes. */
function legible(row: MediaRow | NewRow | undefined): unknown {
  return row && { ...row, sha256: Buffer.from(row.sha256).toString("hex") };
}

const idsOf = (rows: readonly MediaRow[]): readonly Uuid[] => rows.map(({ mediaId }) => mediaId).toSorted();

/** Every harness starts empty: `doom` sees all rows there are. */
export function describeMediaRows(name: string, makeHarness: MakeDurableHarness<MediaRows>): void {
  describe(`media rows: ${name}`, () => {
    describe("from upload to message", () => {
      lifeTests(makeHarness);
    });
    describe("collection", () => {
      doomTests(makeHarness);
    });
  });
}

function lifeTests(makeHarness: MakeDurableHarness<MediaRows>): void {
  test("a created row is uploading, attached to nothing, and keeps what it was made with", async () => {
    await using harness = await makeHarness();
    const [single, multipart] = [newRow(), newRow({ uploadId: "2~abc.DEF", sizeBytes: 100 * 1024 * 1024 })];
    await harness.store.create(single);
    await harness.store.create(multipart);
    for (const row of [single, multipart]) {
      const expected = legible({ ...row, state: "uploading", attachedAt: 0 });
      expect(legible(await harness.store.byId(row.mediaId))).toEqual(expected);
    }
    expect(await harness.store.byId(single.mediaId)).not.toHaveProperty("uploadId");
  });

  test("what does not exist is undefined, cannot be ready or attached, and is removed without a word", async () => {
    await using harness = await makeHarness();
    expect(await harness.store.byId(newId())).toBeUndefined();
    expect(await harness.store.ready(newId())).toBeUndefined();
    expect(await harness.store.attach(newId(), createdAt)).toBe(false);
    expect(await harness.store.reject(newId())).toBe(false);
    await harness.store.remove(newId());
    expect(await harness.store.doom(createdAt + 1, 10)).toEqual([]);
  });

  test("an upload becomes ready once; saying it again answers the same row", async () => {
    await using harness = await makeHarness();
    const row = newRow();
    await harness.store.create(row);
    const ready = legible({ ...row, state: "ready", attachedAt: 0 });
    expect(legible(await harness.store.ready(row.mediaId))).toEqual(ready);
    expect(legible(await harness.store.ready(row.mediaId))).toEqual(ready);
    expect(legible(await harness.store.byId(row.mediaId))).toEqual(ready);
  });

  test("media that is still uploading cannot be attached; once ready it can, and the first time stays", async () => {
    await using harness = await makeHarness();
    const row = newRow();
    await harness.store.create(row);
    expect(await harness.store.attach(row.mediaId, createdAt + 1)).toBe(false);
    expect((await harness.store.byId(row.mediaId))?.attachedAt).toBe(0);
    await harness.store.ready(row.mediaId);
    expect(await harness.store.attach(row.mediaId, createdAt + 2)).toBe(true);
    expect(await harness.store.attach(row.mediaId, createdAt + 9)).toBe(true);
    expect(await harness.store.byId(row.mediaId)).toMatchObject({ state: "ready", attachedAt: createdAt + 2 });
    expect((await harness.store.ready(row.mediaId))?.attachedAt).toBe(createdAt + 2);
  });

  test("of many attaches at once all succeed and one time is kept", async () => {
    await using harness = await makeHarness();
    const mediaId = await createReady(harness.store);
    const times = Array.from({ length: 10 }, (_, index) => createdAt + 1 + index);
    const attached = await Promise.all(times.map((at) => harness.store.attach(mediaId, at)));
    expect(attached).toEqual(times.map(() => true));
    const kept = (await harness.store.byId(mediaId))?.attachedAt;
    expect(times).toContain(kept);
    await harness.store.attach(mediaId, createdAt + 100);
    expect((await harness.store.byId(mediaId))?.attachedAt).toBe(kept);
  });

  test("rows survive the process in the state they were in", async () => {
    await using harness = await makeHarness();
    const row = newRow({ uploadId: "upload-1" });
    await harness.store.create(row);
    const attached = await createReady(harness.store);
    await harness.store.attach(attached, createdAt + 5);
    const doomed = newRow({ createdAt: createdAt - 10 });
    await harness.store.create(doomed);
    await harness.store.doom(createdAt - 9, 10);
    const reopened = await harness.reopen();
    expect(legible(await reopened.byId(row.mediaId))).toEqual(legible({ ...row, state: "uploading", attachedAt: 0 }));
    expect(await reopened.byId(attached)).toMatchObject({ state: "ready", attachedAt: createdAt + 5 });
    expect(idsOf(await reopened.doom(createdAt - 9, 10))).toEqual([doomed.mediaId]);
  });
}

function doomTests(makeHarness: MakeDurableHarness<MediaRows>): void {
  test("rows made before the time that no message refers to are doomed, whether they were ready or not", async () => {
    await using harness = await makeHarness();
    const uploading = newRow({ uploadId: "upload-2" });
    await harness.store.create(uploading);
    const ready = await createReady(harness.store);
    const attached = await createReady(harness.store);
    await harness.store.attach(attached, createdAt + 1);
    const young = await createReady(harness.store, { createdAt: createdAt + 1 });
    expect(await harness.store.doom(createdAt, 10)).toEqual([]);
    const doomed = await harness.store.doom(createdAt + 1, 10);
    expect(idsOf(doomed)).toEqual([uploading.mediaId, ready].toSorted());
    const found = doomed.find(({ mediaId }) => mediaId === uploading.mediaId);
    expect(legible(found)).toEqual(legible({ ...uploading, state: "doomed", attachedAt: 0 }));
    expect((await harness.store.byId(ready))?.state).toBe("doomed");
    expect((await harness.store.byId(attached))?.state).toBe("ready");
    expect((await harness.store.byId(young))?.state).toBe("ready");
  });

  test("nothing can be made of a doomed row", async () => {
    await using harness = await makeHarness();
    const mediaId = await createReady(harness.store);
    await harness.store.doom(createdAt + 1, 10);
    expect(await harness.store.ready(mediaId)).toBeUndefined();
    expect(await harness.store.attach(mediaId, createdAt + 2)).toBe(false);
    expect(await harness.store.byId(mediaId)).toMatchObject({ state: "doomed", attachedAt: 0 });
  });

  test("one call dooms no more than it may; those doomed earlier are answered again until they are removed", async () => {
    await using harness = await makeHarness();
    const all: Uuid[] = [];
    for (let age = 0; age < 3; age++) all.push(await createReady(harness.store, { createdAt: createdAt + age }));
    const first = idsOf(await harness.store.doom(createdAt + 10, 2));
    expect(first).toHaveLength(2);
    const states = await Promise.all(all.map(async (mediaId) => (await harness.store.byId(mediaId))?.state));
    expect(states.filter((state) => state === "doomed")).toHaveLength(2);
    expect(idsOf(await harness.store.doom(createdAt + 10, 2))).toEqual(all.toSorted());
    for (const mediaId of first) await harness.store.remove(mediaId);
    const rest = all.filter((mediaId) => !first.includes(mediaId));
    expect(idsOf(await harness.store.doom(createdAt + 10, 2))).toEqual(rest);
    for (const mediaId of rest) await harness.store.remove(mediaId);
    expect(await harness.store.doom(createdAt + 10, 2)).toEqual([]);
  });

  test("a rejected upload is doomed at once and collected with the rest; what is ready cannot be rejected", async () => {
    await using harness = await makeHarness();
    const row = newRow({ createdAt: createdAt + 1_000 });
    await harness.store.create(row);
    const ready = await createReady(harness.store);
    expect(await harness.store.reject(row.mediaId)).toBe(true);
    expect(await harness.store.reject(row.mediaId)).toBe(true);
    expect(await harness.store.reject(ready)).toBe(false);
    expect(await harness.store.ready(row.mediaId)).toBeUndefined();
    expect((await harness.store.byId(ready))?.state).toBe("ready");
    expect(idsOf(await harness.store.doom(createdAt, 10))).toEqual([row.mediaId]);
    await harness.store.remove(row.mediaId);
    expect(await harness.store.byId(row.mediaId)).toBeUndefined();
  });

  test("of a ready and a reject at once one wins and the other sees it", async () => {
    await using harness = await makeHarness();
    const rows = Array.from({ length: 20 }, () => newRow());
    for (const row of rows) await harness.store.create(row);
    await Promise.all(
      rows.map(async ({ mediaId }, index) => {
        const ready = () => harness.store.ready(mediaId);
        const reject = () => harness.store.reject(mediaId);
        const [made, rejected] =
          index % 2 === 0
            ? await Promise.all([ready(), reject()])
            : (await Promise.all([reject(), ready()])).toReversed();
        const state = (await harness.store.byId(mediaId))?.state;
        expect([made === undefined, rejected, state]).toEqual(
          state === "ready" ? [false, false, "ready"] : [true, true, "doomed"],
        );
      }),
    );
  });

  test("removing forgets a doomed row, also twice, and leaves alone what is not doomed", async () => {
    await using harness = await makeHarness();
    const doomed = await createReady(harness.store);
    await harness.store.doom(createdAt + 1, 10);
    const kept = await createReady(harness.store);
    for (const mediaId of [doomed, doomed, kept]) await harness.store.remove(mediaId);
    expect(await harness.store.byId(doomed)).toBeUndefined();
    expect((await harness.store.byId(kept))?.state).toBe("ready");
  });

  test("of an attach and a collection at once one wins and the other sees it", async () => {
    await using harness = await makeHarness();
    const rows: Uuid[] = [];
    for (let count = 0; count < 20; count++) rows.push(await createReady(harness.store));
    const attaches = rows.map((mediaId) => harness.store.attach(mediaId, createdAt + 5));
    const dooms = [harness.store.doom(createdAt + 1, 7), harness.store.doom(createdAt + 1, 7)];
    const doomed = new Set((await Promise.all(dooms)).flatMap(idsOf));
    const answers = await Promise.all(attaches);
    for (const [index, mediaId] of rows.entries()) {
      const state = answers[index] === true ? "ready" : "doomed";
      expect((await harness.store.byId(mediaId))?.state).toBe(state);
      if (state === "ready") expect(doomed).not.toContain(mediaId);
      else expect(doomed).toContain(mediaId);
    }
  });

  test("collections at once share the work and answer every row they doomed", async () => {
    await using harness = await makeHarness();
    const rows: Uuid[] = [];
    for (let count = 0; count < 12; count++) rows.push(await createReady(harness.store));
    const answers = await Promise.all(Array.from({ length: 3 }, () => harness.store.doom(createdAt + 1, 4)));
    const answered = new Set(answers.flatMap(idsOf));
    for (const mediaId of rows) {
      const state = (await harness.store.byId(mediaId))?.state;
      expect(answered.has(mediaId)).toBe(state === "doomed");
    }
    expect(answered.size).toBeGreaterThanOrEqual(4);
  });
}
