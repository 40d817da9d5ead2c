import { expect, test } from "vitest";
import { createDeferred } from "../../base/deferred.ts";
import { decodeBatch, encodeDelivery, encodeDisplaced, encodeNotice, encodePresence, type Batch } from "./bus-batch.ts";
import { Outbox, outboxLimits } from "./outbox.ts";

const entry = encodeNotice({ notice: "group_changed", groupId: "g", version: 1 });

function createOutbox(publish: (batch: Batch) => Promise<void>) {
  const errors: unknown[] = [];
  const outbox = new Outbox({
    node: "b",
    epoch: "eb",
    own: { node: "a", epoch: "ea" },
    publish: (_node, text) => publish(decodeBatch(text) as Batch),
    onError: (error) => errors.push(error),
  });
  return { outbox, errors };
}

test("a batch says from whom to whom, with its number, and holds what waited", async () => {
  const batches: Batch[] = [];
  const { outbox } = createOutbox(async (batch) => void batches.push(batch));
  outbox.add(encodeDelivery(["u1", "u2"], '{"type":"RESYNC","reason":"x"}', { userId: "u1", device: 3 }));
  outbox.add(entry);
  outbox.add(encodeDisplaced("u1", 2, "c1"));
  outbox.add(encodePresence(["u3", "u4"]));
  outbox.flush();
  await outbox.say("beacon");
  const header = { from: "a", fromEpoch: "ea", toEpoch: "eb", counter: 1 };
  expect(batches).toEqual([
    {
      ...header,
      kind: "batch",
      deliveries: [
        { userIds: ["u1", "u2"], frame: { type: "RESYNC", reason: "x" }, except: { userId: "u1", device: 3 } },
      ],
      notices: [{ notice: "group_changed", groupId: "g", version: 1 }],
      displaced: [{ displaced: "u1", device: 2, connection: "c1" }],
      present: ["u3", "u4"],
    },
    {
      ...header,
      kind: "beacon",
      deliveries: [],
      notices: [],
      displaced: [],
      present: [],
    },
  ]);
});

test("while batches are under way, what comes is gathered into the next one", async () => {
  const batches: Batch[] = [];
  const released = createDeferred<void>();
  const { outbox } = createOutbox((batch) => {
    batches.push(batch);
    return released.promise;
  });
  for (let index = 0; index < 10; index++) {
    outbox.add(entry);
    outbox.flush();
  }
  expect(batches.map(({ notices }) => notices.length)).toEqual([1, 1]);
  released.resolve();
  await expect.poll(() => batches.map(({ notices }) => notices.length)).toEqual([1, 1, 8]);
});

test("what does not fit is dropped and takes a number", async () => {
  const counters: number[] = [];
  const { outbox } = createOutbox(async (batch) => void counters.push(batch.counter));
  for (let index = 0; index < outboxLimits.entriesMax + 5; index++) outbox.add(entry);
  expect(outbox.dropped).toBe(5);
  await outbox.say("beacon");
  expect(counters).toEqual([5]);
  const large = createOutbox(async () => {}).outbox;
  const megabyte = JSON.stringify("x".repeat(1024 * 1024));
  for (let index = 0; index < 20; index++) large.add(megabyte);
  expect(large.dropped).toBeGreaterThan(10);
});

test("a batch that could not be published has used its number", async () => {
  const counters: number[] = [];
  const { outbox, errors } = createOutbox(async ({ kind, counter }) => {
    if (kind === "batch" && counter === 1) throw new Error("Redis");
    counters.push(counter);
  });
  outbox.add(entry);
  outbox.flush();
  outbox.add(entry);
  outbox.flush();
  await outbox.say("beacon");
  expect(counters).toEqual([2, 2]);
  expect(outbox.dropped).toBe(1);
  expect(errors).toHaveLength(1);
});

test("the good-bye waits for every batch, also where a later one is answered first", async () => {
  const said: string[] = [];
  const first = createDeferred<void>();
  const { outbox } = createOutbox(async ({ kind, counter }) => {
    if (kind === "batch" && counter === 1) await first.promise;
    said.push(kind);
  });
  for (let batch = 0; batch < 2; batch++) {
    outbox.add(entry);
    outbox.flush();
  }
  const finished = outbox.finish();
  // A wait that goes round without leaving this turn never comes here.
  setImmediate(() => first.resolve());
  await finished;
  expect(said).toEqual(["batch", "batch", "bye"]);
});

test("what is no batch, or of another version, is none", () => {
  for (const text of [
    "",
    "{",
    "[]",
    "[[],[]]",
    '[[2,"batch","a","e","e",1],[]]',
    '[[1,"batch","a","e","e",null],[]]',
  ]) {
    expect(decodeBatch(text)).toBeUndefined();
  }
});
