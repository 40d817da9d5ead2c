import { beforeEach, describe, expect, test } from "vitest";
import { createMemoryWorld, type MemoryWorld } from "../../../test/helpers/core-ports/core-ports.ts";
import {
  caller,
  createDeliveryCore,
  textDraft,
  type DeliveryCore,
} from "../../../test/helpers/core-ports/delivery-core.ts";
import { ScriptedWeather } from "../../../test/helpers/core-ports/scripted-weather.ts";
import type { AppendFate } from "../../../test/helpers/core-ports/weather.ts";
import { directConversationId, type Uuid } from "../../protocol/ids.ts";
import type { MessageDraft, SendGate } from "../api.ts";

let weather: ScriptedWeather;
let world: MemoryWorld;
let core: DeliveryCore;
let gate: SendGate;
let ann: Uuid;
let bob: Uuid;
let chat: Uuid;

beforeEach(() => {
  weather = new ScriptedWeather();
  world = createMemoryWorld({ weather });
  core = createDeliveryCore(world);
  gate = core.delivery.createGate();
  [ann, bob] = [world.user(), world.user()];
  chat = directConversationId(ann, bob);
});

const draftTo = (userId: Uuid, since: number): MessageDraft => textDraft(world, { user: userId }, since);
const send = (from: Uuid, draft: MessageDraft) => core.delivery.send(caller(from), gate, draft);

describe("an append whose outcome is open", () => {
  test.each<[AppendFate, boolean]>([
    ["lost", true],
    ["applied", true],
    ["applied_in_part", true],
    ["late", true],
    ["late", false],
  ])(
    "%s (settled as done: %s) is decided by a serial read: one row, its list rows, its push",
    async (fate, settles) => {
      weather.settles = settles;
      weather.kept.push(false, false);
      weather.fates.push(fate);
      expect(await send(ann, draftTo(bob, 0))).toMatchObject({ seq: 1 });
      expect(world.log.calls.serialReads).toBeGreaterThan(0);
      expect(world.log.rowsOf(chat)).toHaveLength(1);
      expect(world.lists.rowOf(bob, chat)).toMatchObject({ lastSeq: 1 });
      // Doubling is allowed: whoever repairs lists pushes as well.
      expect(new Set(world.hub.deliveries.map(({ frame }) => frame.type === "NEW_MESSAGE" && frame.seq))).toEqual(
        new Set([1]),
      );
    },
  );

  test("that stays open fails as undecided, and the retry finds out", async () => {
    const draft = draftTo(bob, 0);
    weather.fates.push("applied");
    weather.failing.add("log.newest.serial");
    await expect(send(ann, draft)).rejects.toMatchObject({
      code: "store_unavailable",
      temporary: true,
      undecided: true,
    });
    weather.failing.clear();
    expect(await send(ann, draft)).toMatchObject({ seq: 1 });
    expect(world.log.rowsOf(chat)).toHaveLength(1);
  });

  test("again and again fails as undecided after a bounded number of appends", async () => {
    weather.fates.push(...Array.from({ length: 10 }, () => "lost" as const));
    await expect(send(ann, draftTo(bob, 0))).rejects.toMatchObject({ code: "store_unavailable", undecided: true });
    expect(world.log.calls.append).toBe(3);
  });

  test("and is then proven not to have happened leaves nothing undecided", async () => {
    weather.fates.push("lost", "unavailable");
    await expect(send(ann, draftTo(bob, 0))).rejects.toMatchObject({ code: "store_unavailable", undecided: false });
  });

  test("makes every later read serial until an append succeeds", async () => {
    const draft = draftTo(bob, 0);
    weather.fates.push("late");
    weather.failing.add("log.newest.serial");
    await expect(send(ann, draft)).rejects.toMatchObject({ undecided: true });
    weather.failing.clear();
    await expect(send(ann, draftTo(bob, 0))).rejects.toMatchObject({ code: "out_of_order" });
    const answer = await core.delivery.send(caller(bob), core.delivery.createGate(), draftTo(ann, 0));
    // The serial read has let the late append happen first.
    expect(answer.seq).toBe(2);
    expect(await send(ann, draft)).toMatchObject({ seq: 1 });
  });
});

describe("a store that refuses", () => {
  test.each([
    ["unavailable", "store_unavailable"],
    ["full", "storage_full"],
  ] as const)("%s: the send fails for now and is not undecided", async (fate, code) => {
    weather.fates.push(fate);
    await expect(send(ann, draftTo(bob, 0))).rejects.toMatchObject({ code, temporary: true, undecided: false });
    expect(world.log.rowsOf(chat)).toEqual([]);
  });

  test("with an error nobody planned: the send is undecided, and the lane lives on", async () => {
    const append = world.log.append.bind(world.log);
    world.log.append = () => Promise.reject(new TypeError("a bug"));
    const draft = draftTo(bob, 0);
    await expect(send(ann, draft)).rejects.toMatchObject({ code: "internal", undecided: true });
    world.log.append = append;
    expect(await send(ann, draft)).toMatchObject({ seq: 1 });
  });
});

describe("another server on the same conversation", () => {
  test("makes an append conflict: it reads the log anew and goes behind", async () => {
    const other = createDeliveryCore(world);
    await send(ann, draftTo(bob, 0));
    await other.delivery.send(caller(bob), other.delivery.createGate(), draftTo(ann, 1));
    expect(await send(ann, draftTo(bob, 1))).toMatchObject({ seq: 3 });
    expect(world.log.rowsOf(chat).map((row) => row.senderId)).toEqual([ann, bob, ann]);
  });

  test("that wins every time makes the send fail for now, after a bounded number of attempts", async () => {
    await send(ann, draftTo(bob, 0));
    world.log.append = () => Promise.resolve({ outcome: "conflict", actual: undefined });
    await expect(send(ann, draftTo(bob, 1))).rejects.toMatchObject({ code: "store_unavailable", undecided: false });
  });
});

describe("a bucket border", () => {
  test("is crossed only after a serial read of the full bucket", async () => {
    for (let seq = 0; seq < 4; seq++) await send(ann, draftTo(bob, seq));
    const { serialReads } = world.log.calls;
    await send(ann, draftTo(bob, 4));
    expect(world.log.calls.serialReads).toBe(serialReads + 1);
    await send(ann, draftTo(bob, 5));
    expect(world.log.calls.serialReads).toBe(serialReads + 1);
    expect(world.log.headOf(chat)).toMatchObject({ head: 6, headUcount: 6 });
  });

  test("is not crossed when the bucket is not what the lane believed", async () => {
    for (let seq = 0; seq < 4; seq++) await send(ann, draftTo(bob, seq));
    const readBucket = world.log.readBucket.bind(world.log);
    let lies = 1;
    world.log.readBucket = async (...request) => {
      const page = await readBucket(...request);
      if (lies-- <= 0 || page.head === undefined) return page;
      return { ...page, head: { ...page.head, membership: 1 } };
    };
    const { newestBucket, append } = world.log.calls;
    expect(await send(ann, draftTo(bob, 4))).toMatchObject({ seq: 5 });
    expect(world.log.calls).toMatchObject({ newestBucket: newestBucket + 1, append: append + 1 });
  });

  test("is opened by one of two servers, and the other goes behind", async () => {
    for (let seq = 0; seq < 4; seq++) await send(ann, draftTo(bob, seq));
    const other = createDeliveryCore(world);
    weather.during.set("log.append", async () => {
      await other.delivery.send(caller(bob), other.delivery.createGate(), draftTo(ann, 4));
    });
    expect(await send(ann, draftTo(bob, 4))).toMatchObject({ seq: 6 });
    expect(world.log.rowsOf(chat).map((row) => row.seq)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
