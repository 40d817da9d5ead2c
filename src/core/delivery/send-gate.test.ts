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
import type { MessageDraft, SendGate } from "../api.ts";
import { ConnectionGate } from "./send-gate.ts";

let weather: ScriptedWeather;
let world: MemoryWorld;
let core: DeliveryCore;
let gate: SendGate;
let ann: Uuid;
let bob: Uuid;

beforeEach(() => {
  weather = new ScriptedWeather();
  world = createMemoryWorld({ weather });
  core = createDeliveryCore(world);
  gate = core.delivery.createGate();
  [ann, bob] = [world.user(), world.user()];
});

const draftTo = (userId: Uuid): MessageDraft => textDraft(world, { user: userId }, 0);
const send = (draft: MessageDraft, through = gate) => core.delivery.send(caller(ann), through, draft);
const outcomes = async (sends: Promise<unknown>[]) =>
  (await Promise.allSettled(sends)).map((each) =>
    each.status === "fulfilled" ? "sent" : (each.reason as { code: string }).code,
  );

describe("messages sent ahead of their answers", () => {
  test("wait for one that failed, until it comes back", async () => {
    const [m1, m2, m3] = [draftTo(bob), draftTo(bob), draftTo(bob)];
    weather.fates.push("unavailable");
    expect(await outcomes([send(m1), send(m2), send(m3)])).toEqual([
      "store_unavailable",
      "out_of_order",
      "out_of_order",
    ]);
    expect(await outcomes([send(m2)])).toEqual(["out_of_order"]);
    expect(await outcomes([send(m1), send(m2), send(m3)])).toEqual(["sent", "sent", "sent"]);
    const order = world.log.rowsOf(directConversationId(ann, bob)).map((row) => row.messageId);
    expect(order).toEqual([m1.messageId, m2.messageId, m3.messageId]);
  });

  test("wait again when the retry fails as well", async () => {
    const [m1, m2] = [draftTo(bob), draftTo(bob)];
    weather.fates.push("unavailable", "unavailable");
    expect(await outcomes([send(m1), send(m2)])).toEqual(["store_unavailable", "out_of_order"]);
    expect(await outcomes([send(m1), send(m2)])).toEqual(["store_unavailable", "out_of_order"]);
    expect(await outcomes([send(m1), send(m2)])).toEqual(["sent", "sent"]);
  });

  test("wait for nothing in other conversations, and on other connections", async () => {
    const eve = world.user();
    weather.fates.push("unavailable");
    expect(await outcomes([send(draftTo(bob))])).toEqual(["store_unavailable"]);
    expect(await outcomes([send(draftTo(eve))])).toEqual(["sent"]);
    expect(await outcomes([send(draftTo(bob), core.delivery.createGate())])).toEqual(["sent"]);
  });

  test("go on when the failed one is refused for good", async () => {
    const m1 = draftTo(bob);
    weather.fates.push("unavailable");
    expect(await outcomes([send(m1), send(draftTo(bob))])).toEqual(["store_unavailable", "out_of_order"]);
    expect(await outcomes([send({ ...m1, since: 9 }), send(draftTo(bob))])).toEqual(["cursor_ahead", "sent"]);
  });

  test("go on when the failed one comes back malformed", async () => {
    const m1 = draftTo(bob);
    weather.fates.push("unavailable");
    await outcomes([send(m1)]);
    expect(await outcomes([send({ ...m1, kind: 0 }), send(draftTo(bob))])).toEqual(["bad_request", "sent"]);
  });
});

describe("a rate limit, while the store is slow", () => {
  const postpone = (draft: MessageDraft): void => core.delivery.postpone(caller(ann), gate, draft);
  const texts = (...drafts: MessageDraft[]) => drafts.map(({ messageId }) => messageId);
  const log = () => texts(...(world.log.rowsOf(directConversationId(ann, bob)) as unknown as MessageDraft[]));

  test("that refuses a message twice lets nothing pass that was sent between", async () => {
    const [m1, m2, m3, m4] = [draftTo(bob), draftTo(bob), draftTo(bob), draftTo(bob)];
    const first = send(m1);
    postpone(m2);
    const third = send(m3);
    postpone(m2);
    expect(await outcomes([first, third, send(m4)])).toEqual(["sent", "out_of_order", "out_of_order"]);
    expect(await outcomes([send(m2), send(m3), send(m4)])).toEqual(["sent", "sent", "sent"]);
    expect(log()).toEqual(texts(m1, m2, m3, m4));
  });

  test("that refuses a message behind one that failed and is on its way again holds up what follows", async () => {
    const [m1, m2, m3] = [draftTo(bob), draftTo(bob), draftTo(bob)];
    weather.fates.push("unavailable");
    expect(await outcomes([send(m1), send(m2)])).toEqual(["store_unavailable", "out_of_order"]);
    // The lane is busy, so that nothing of this is judged before all of it is there.
    const busy = core.delivery.send(caller(bob), core.delivery.createGate(), draftTo(ann));
    const again = send(m1);
    postpone(m2);
    expect(await outcomes([busy, again, send(m3)])).toEqual(["sent", "sent", "out_of_order"]);
    expect(await outcomes([send(m2), send(m3)])).toEqual(["sent", "sent"]);
    expect(log().slice(1)).toEqual(texts(m1, m2, m3));
  });

  test("that refuses another attempt of a message which is being appended keeps nothing back once that is done", async () => {
    const [m1, m2] = [draftTo(bob), draftTo(bob)];
    const first = send(m1);
    while (world.log.calls.append === 0) await Promise.resolve();
    postpone(m1);
    postpone(m2);
    expect(await outcomes([first, send(draftTo(bob))])).toEqual(["sent", "out_of_order"]);
    expect(await outcomes([send(m2), send(draftTo(bob))])).toEqual(["sent", "sent"]);
  });

  test.each(["new", "in the log already"])(
    "does not refuse an attempt beside an earlier one of a message that is %s",
    async (kind) => {
      const [m1, m2] = [draftTo(bob), draftTo(bob)];
      if (kind !== "new") await send(m1, core.delivery.createGate());
      // Of a process that has to look into the log.
      core = createDeliveryCore(world);
      gate = core.delivery.createGate();
      const busy = core.delivery.send(caller(bob), core.delivery.createGate(), draftTo(ann));
      const attempts = [send(m1)];
      postpone(m2);
      attempts.push(send(m1), send(draftTo(bob)));
      expect(await outcomes([busy, ...attempts])).toEqual(["sent", "sent", "sent", "out_of_order"]);
      expect(await outcomes([send(m2)])).toEqual(["sent"]);
      expect(log().filter((messageId) => messageId === m1.messageId)).toHaveLength(1);
    },
  );

  test("says nothing any more of what came back in order", async () => {
    const [m1, m2, m3] = [draftTo(bob), draftTo(bob), draftTo(bob)];
    weather.fates.push("unavailable");
    const first = [send(m1), send(m2)];
    postpone(m3);
    expect(await outcomes(first)).toEqual(["store_unavailable", "out_of_order"]);
    expect(await outcomes([send(m1), send(m2), send(m3)])).toEqual(["sent", "sent", "sent"]);
  });
});

describe("the gate", () => {
  test("does not hold back what was on its way before the failure", () => {
    const connection = new ConnectionGate();
    connection.failed("c", "m9", 9);
    expect(connection.refuses("c", "m5", 5)).toBe(false);
    expect(connection.refuses("c", "m10", 10)).toBe(true);
    expect(connection.refuses("c", "m9", 11)).toBe(false);
  });

  test("waits for the earliest failure", () => {
    const connection = new ConnectionGate();
    connection.failed("c", "m9", 9);
    connection.failed("c", "m5", 5);
    expect(connection.refuses("c", "m9", 12)).toBe(true);
    connection.returned("c", "m9", 13);
    expect(connection.refuses("c", "m9", 13)).toBe(true);
    connection.returned("c", "m5", 14);
    expect(connection.refuses("c", "m9", 14)).toBe(false);
  });

  const burst = ConnectionGate.aheadMax + 40;

  test("opens again when more failed ahead than it keeps, and the first of them came back after all of them", () => {
    const connection = new ConnectionGate();
    for (let index = 0; index < burst; index++) connection.failedAhead("c", `m${index}`, index);
    for (let index = 0; index < burst; index++) {
      expect(connection.refuses("c", `m${index}`, 1_000 + index)).toBe(false);
      connection.returned("c", `m${index}`, 1_000 + index);
    }
    expect(connection.refuses("c", "m", 2_000)).toBe(false);
  });

  test("never opens when the first came back before the last of those that it does not keep failed", () => {
    const connection = new ConnectionGate();
    connection.failed("c", "m0", 0);
    for (let index = 1; index < burst; index++) connection.failedAhead("c", `m${index}`, index);
    connection.returned("c", "m0", burst - 2);
    for (let index = 1; index < burst; index++) connection.returned("c", `m${index}`, 1_000 + index);
    expect(connection.refuses("c", "m", 2_000)).toBe(true);
    expect(connection.refuses("other", "m", 2_000)).toBe(false);
  });

  test("waits for nothing that came back while it waited for an earlier one", () => {
    const connection = new ConnectionGate();
    connection.failedAhead("c", "m5", 5);
    connection.failedAhead("c", "m2", 8);
    connection.returned("c", "m2", 2);
    connection.returned("c", "m5", 7);
    expect(connection.refuses("c", "m9", 9)).toBe(false);
  });

  test("is bounded: with too many failures it refuses every other conversation", () => {
    const connection = new ConnectionGate();
    for (let index = 0; index < ConnectionGate.conversationsMax; index++) connection.failed(`c${index}`, "m", index);
    expect(connection.refuses("other", "m", 9_999)).toBe(false);
    connection.failed("other", "m", 10_000);
    expect(connection.refuses("other", "m", 10_001)).toBe(true);
    expect(connection.refuses("c0", "m", 10_002)).toBe(false);
  });
});
