import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { ScriptedWeather } from "../../../test/helpers/core-ports/scripted-weather.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import type { MessageDraft } from "../api.ts";
import type { LogRow } from "../model.ts";

let weather: ScriptedWeather;
let world: MemoryWorld;
let core: DeliveryCore;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;

function start(bucketRows = 4): void {
  weather = new ScriptedWeather();
  world = createMemoryWorld({ weather, bucketRows });
  core = createDeliveryCore(world);
  [ann, bob] = [world.user(), world.user()];
  chat = directConversationId(ann, bob);
}

beforeEach(() => start());

const draftTo = (userId: Uuid, since: number): MessageDraft => textDraft(world, { user: userId }, since);
const sendOn = (on: DeliveryCore, from: Uuid, draft: MessageDraft) =>
  on.delivery.send(caller(from), on.delivery.createGate(), draft);
const send = (from: Uuid, draft: MessageDraft) => sendOn(core, from, draft);

async function fill(rows: number): Promise<void> {
  for (let seq = 0; seq < rows; seq++) await send(bob, draftTo(ann, seq));
}

describe("a message that is in the log already", () => {
  test("is answered with what it got then, from memory", async () => {
    const draft = draftTo(bob, 0);
    const first = await send(ann, draft);
    await fill(2);
    const reads = { ...world.log.calls };
    world.clock.advance(60_000);
    expect(await send(ann, draft)).toEqual(first);
    expect(world.log.calls).toEqual(reads);
    expect(world.log.rowsOf(chat)).toHaveLength(3);
  });

  test("is found by a server that has never heard of it, across buckets, and told to the devices again", async () => {
    const draft = draftTo(bob, 0);
    const first = await send(ann, draft);
    for (let seq = 1; seq < 11; seq++) await send(bob, draftTo(ann, seq));
    world.hub.deliveries.length = 0;
    expect(await sendOn(createDeliveryCore(world), ann, draft)).toEqual(first);
    expect(world.log.rowsOf(chat)).toHaveLength(11);
    expect(world.hub.deliveries).toMatchObject([{ frame: { type: "NEW_MESSAGE", seq: 1 } }]);
  });

  test("is answered although its sender was blocked since", async () => {
    const draft = draftTo(bob, 0);
    const first = await send(ann, draft);
    await world.relations.putBlock(bob, ann, true);
    expect(await sendOn(createDeliveryCore(world), ann, draft)).toEqual(first);
  });

  test("of another sender means that the id is taken, from memory and from the store", async () => {
    const draft = draftTo(bob, 0);
    await send(ann, draft);
    const stolen = { ...draft, to: { user: ann } };
    await expect(send(bob, stolen)).rejects.toMatchObject({ code: "id_conflict", temporary: false });
    await expect(sendOn(createDeliveryCore(world), bob, stolen)).rejects.toMatchObject({ code: "id_conflict" });
  });

  test("twice among the drafts of one append is one", async () => {
    await fill(1);
    const draft = draftTo(bob, 1);
    const again = draftTo(bob, 1);
    const answers = await Promise.allSettled([
      send(ann, draftTo(bob, 1)),
      send(ann, draft),
      send(ann, draft),
      send(bob, { ...draft, to: { user: ann } }),
      send(ann, again),
    ]);
    expect(answers.map((answer) => (answer.status === "fulfilled" ? answer.value.seq : answer.reason))).toMatchObject([
      2,
      3,
      3,
      { code: "id_conflict" },
      4,
    ]);
    expect(world.log.rowsOf(chat).map((row) => row.seq)).toEqual([1, 2, 3, 4]);
  });

  test("gets its list rows once more before it is answered", async () => {
    await fill(1);
    const draft = draftTo(bob, 1);
    weather.fates.push("applied_in_part");
    weather.kept.push(false, true);
    // The process dies with the answer open: its successor knows nothing.
    weather.during.set("log.newest.serial", () => new Promise(() => undefined));
    void send(ann, draft);
    await new Promise(setImmediate);
    expect(world.lists.rowOf(ann, chat)?.lastSeq).toBe(2);
    expect(world.lists.rowOf(bob, chat)?.lastSeq).toBe(1);
    const next = createDeliveryCore(world);
    expect(await sendOn(next, ann, draft)).toMatchObject({ seq: 2 });
    const { sentAt } = world.log.rowsOf(chat)[1] ?? {};
    expect(world.lists.rowOf(bob, chat)).toMatchObject({ lastSeq: 2, lastSender: ann, lastAt: sentAt, lastUcount: 2 });
  });

  test("stays undecided for its sender while its list rows cannot be written", async () => {
    const draft = draftTo(bob, 0);
    await send(ann, draft);
    const next = createDeliveryCore(world);
    weather.failing.add("log.writeLists");
    await expect(sendOn(next, ann, draft)).rejects.toMatchObject({ code: "store_unavailable", undecided: true });
    weather.failing.clear();
    expect(await sendOn(next, ann, draft)).toMatchObject({ seq: 1 });
  });

  test("and was read by the proof for another one still gets its list rows", async () => {
    await fill(1);
    const draft = draftTo(bob, 1);
    await send(ann, draft);
    const next = createDeliveryCore(world);
    await sendOn(next, bob, draftTo(ann, 1));
    const writes = world.log.calls.writeLists;
    expect(await sendOn(next, ann, draft)).toMatchObject({ seq: 2 });
    expect(world.log.calls.writeLists).toBe(writes + 1);
  });
});

describe("the proof that a message is new", () => {
  test("reads nothing when nothing was appended since", async () => {
    await fill(3);
    const next = createDeliveryCore(world);
    await sendOn(next, ann, draftTo(bob, 3));
    expect(world.log.calls.readBucket).toBe(0);
  });

  test("reads the newest bucket first", async () => {
    await fill(10);
    const buckets: number[] = [];
    const readBucket = world.log.readBucket.bind(world.log);
    world.log.readBucket = (conversationId, bucket, ...rest) => {
      buckets.push(bucket);
      return readBucket(conversationId, bucket, ...rest);
    };
    await sendOn(createDeliveryCore(world), ann, draftTo(bob, 1));
    expect(buckets).toEqual([2, 1, 0]);
  });

  test.each([
    ["at the top", (rows: readonly LogRow[]) => rows.slice(1)],
    ["at the bottom", (rows: readonly LogRow[]) => rows.slice(0, -1)],
    ["in the middle", (rows: readonly LogRow[]) => [...rows.slice(0, 1), ...rows.slice(2)]],
  ])("starts again when the rows it read have a hole %s", async (_, tear) => {
    const draft = draftTo(bob, 0);
    const first = await send(ann, draft);
    for (let seq = 1; seq < 7; seq++) await send(bob, draftTo(ann, seq));
    const readBucket = world.log.readBucket.bind(world.log);
    let torn = 2;
    world.log.readBucket = async (...request) => {
      const page = await readBucket(...request);
      return torn-- > 0 ? { ...page, rows: tear(page.rows) } : page;
    };
    expect(await sendOn(createDeliveryCore(world), ann, draft)).toEqual(first);
    expect(torn).toBeLessThan(0);
    expect(world.log.rowsOf(chat)).toHaveLength(7);
  });

  test("gives up at its bound, for good", async () => {
    start(1_024);
    const gate = core.delivery.createGate();
    const drafts = Array.from({ length: limits.dedupeRowsMax + 1 }, () => draftTo(ann, 0));
    for (let from = 0; from < drafts.length; from += 1_000) {
      await Promise.all(drafts.slice(from, from + 1_000).map((draft) => core.delivery.send(caller(bob), gate, draft)));
    }
    await expect(send(ann, draftTo(bob, 0))).rejects.toMatchObject({ code: "stale_since", temporary: false });
    const next = createDeliveryCore(world);
    await expect(sendOn(next, ann, draftTo(bob, 0))).rejects.toMatchObject({ code: "stale_since" });
    expect(await sendOn(next, ann, draftTo(bob, 1))).toMatchObject({ seq: limits.dedupeRowsMax + 2 });
  });
});

describe("a client that claims to have seen more than there is", () => {
  test("is refused for good and opens no bucket", async () => {
    await fill(3);
    for (const since of [4, 2_048, Number.MAX_SAFE_INTEGER]) {
      await expect(send(ann, draftTo(bob, since))).rejects.toMatchObject({ code: "cursor_ahead", temporary: false });
    }
    expect(world.log.rowsOf(chat)).toHaveLength(3);
    expect(world.log.headOf(chat)?.head).toBe(3);
  });

  test("is judged by a serial read: another server may have appended, and its push been lost", async () => {
    core = createDeliveryCore(world, { deaf: true });
    await send(ann, draftTo(bob, 0));
    const other = createDeliveryCore(world);
    await sendOn(other, bob, draftTo(ann, 1));
    await sendOn(other, bob, draftTo(ann, 2));
    const { serialReads } = world.log.calls;
    expect(await send(ann, draftTo(bob, 3))).toMatchObject({ seq: 4 });
    expect(world.log.calls.serialReads).toBeGreaterThan(serialReads);
  });
});
