import { expect, test } from "vitest";
import type { Clock } from "../../base/clock.ts";
import type { MessageStatus } from "../../protocol/receipt-math.ts";
import { chat, messageIdOf } from "../../../test/helpers/scripted-machine.ts";
import { VirtualTime } from "../../../test/helpers/virtual-time.ts";
import { DeliveryWaiters } from "./delivery-waiters.ts";

const id = messageIdOf(1);
const logged = { type: "sent" as const, conversationId: chat, messageId: id, seq: 4, sentAt: 9, maxStatus: undefined };
const moved = { type: "watermarks" as const, conversationId: chat, userId: "", recvSeq: 0, readSeq: 0 };

function create() {
  const time = new VirtualTime();
  const clock: Clock = {
    nowMs: () => time.nowMs,
    monotonicMs: () => time.nowMs,
    schedule: (delayMs, run) => time.schedule(delayMs, run),
  };
  const world = { status: "sent" as MessageStatus };
  return { time, world, waiters: new DeliveryWaiters(clock, () => world.status) };
}

test("a wait ends with the status it asked for, or a higher one", async () => {
  const { waiters, world } = create();
  const sent = waiters.wait(id, "sent", 1_000);
  const delivered = waiters.wait(id, "delivered", 1_000);
  waiters.apply(logged);
  expect(await sent).toMatchObject({ seq: 4, conversationId: chat });
  expect([...waiters.watched()]).toHaveLength(1);
  world.status = "read";
  waiters.apply(moved);
  expect(await delivered).toMatchObject({ seq: 4 });
  expect(await waiters.wait(id, "delivered", 1_000)).toMatchObject({ seq: 4 });
  expect([...waiters.watched()]).toEqual([]);
});

test("a refusal, a time-out and a close each end it with their name", async () => {
  const { waiters, time } = create();
  const refused = waiters.wait(id, "sent", 1_000);
  waiters.apply({
    type: "send_failed",
    conversationId: chat,
    messageId: id,
    state: "failed",
    code: "not_a_member",
    message: "x",
  });
  await expect(refused).rejects.toMatchObject({ code: "not_a_member" });
  const late = waiters.wait(id, "sent", 1_000);
  time.runUntil(1_000);
  await expect(late).rejects.toMatchObject({ code: "timeout" });
  const closed = waiters.wait(id, "sent", 1_000);
  waiters.close();
  await expect(closed).rejects.toMatchObject({ code: "closed" });
});
