import { expect, onTestFinished, test } from "vitest";
import type { FanOutJob, QueuedJob } from "../../../src/core/ports/fan-out-queue.ts";
import type { KafkaFanOutQueue } from "../../../src/stores/kafka/fan-out-queue.ts";
import type { KafkaSettings } from "../../../src/stores/kafka/settings.ts";
import { newId } from "../../contract/durable-harness.ts";
import { eventually } from "../../helpers/eventually.ts";
import { deleteTopic, openTestQueue, ownKafkaSettings } from "../../helpers/kafka.ts";
import { describeOn } from "../../helpers/real-stores.ts";

type Handle = (jobs: readonly QueuedJob[]) => Promise<void>;

const conversations = Array.from({ length: 128 }, newId);

/** One job for each conversation: some for every partition, nearly. */
function round(seq: number): FanOutJob[] {
  return conversations.map((conversationId) => ({ conversationId, fromSeq: seq, toSeq: seq, chunk: 0, membership: 1 }));
}

/** A process that serves the topic, and what it was called with. */
async function startServing(settings: KafkaSettings, during: Handle = async () => undefined) {
  const queue = await openTestQueue(settings);
  onTestFinished(() => queue.close());
  const jobs: QueuedJob[] = [];
  const consumption = await queue.consume(async (called) => {
    jobs.push(...called);
    await during(called);
  });
  const names = (): readonly string[] => jobs.map(({ conversationId, toSeq }) => `${conversationId}/${toSeq}`);
  return { queue, jobs, names, consumption };
}

/** Puts in rounds until the process is among those who serve, which only a job can show. Answers the number of the last. */
async function untilServing(queue: KafkaFanOutQueue, seq: number, isServing: () => boolean): Promise<number> {
  let last = seq;
  await eventually(async () => {
    if (isServing()) return;
    await queue.enqueue(round(++last));
    await drained(queue);
    expect(isServing()).toBe(true);
  });
  return last;
}

async function drained(queue: KafkaFanOutQueue): Promise<void> {
  await eventually(async () => expect((await queue.lag()).jobsWaiting).toBe(0));
}

describeOn(["kafka"], "processes that serve large groups together", () => {
  test("share the work, and every job is done once", async () => {
    const settings = ownKafkaSettings();
    onTestFinished(() => deleteTopic(settings));
    const one = await startServing(settings);
    const first = await untilServing(one.queue, 0, () => one.jobs.length > 0);
    const two = await startServing(settings);
    const last = await untilServing(two.queue, first, () => two.jobs.length > 0);
    await one.queue.enqueue(round(last + 1));
    await drained(two.queue);
    const done = [...one.names(), ...two.names()];
    expect(done).toHaveLength(conversations.length * (last + 1));
    expect(new Set(done).size).toBe(done.length);
    const shares = [one, two].map(({ jobs }) => jobs.filter(({ toSeq }) => toSeq === last + 1).length);
    expect(Math.min(...shares)).toBeGreaterThan(conversations.length / 8);
  });

  test("take over from one that stops, without a repetition", async () => {
    const settings = ownKafkaSettings();
    onTestFinished(() => deleteTopic(settings));
    const one = await startServing(settings);
    const first = await untilServing(one.queue, 0, () => one.jobs.length > 0);
    const two = await startServing(settings);
    const last = await untilServing(two.queue, first, () => two.jobs.length > 0);
    await one.consumption.stop();
    const before = one.jobs.length;
    await one.queue.enqueue(round(last + 1));
    await drained(two.queue);
    expect(one.jobs).toHaveLength(before);
    const done = [...one.names(), ...two.names()];
    expect(new Set(done).size).toBe(done.length);
    expect(done).toHaveLength(conversations.length * (last + 1));
  });

  test("do not take a partition whose call is under way until it has ended, however long that is", async () => {
    const settings = ownKafkaSettings();
    onTestFinished(() => deleteTopic(settings));
    const gate = Promise.withResolvers<void>();
    const one = await startServing(settings, () => gate.promise);
    await one.queue.enqueue(round(1));
    // Every partition of the first process has a call under way.
    await eventually(() => expect(one.jobs.length).toBeGreaterThan(conversations.length / 2));
    const two = await startServing(settings);
    await two.queue.enqueue(round(2));
    // Longer than the broker waits for a heartbeat that does not come: the first process stays a member.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    expect(two.jobs).toEqual([]);
    gate.resolve();
    await drained(two.queue);
    const done = [...one.names(), ...two.names()];
    expect(new Set(done).size).toBe(done.length);
    expect(done).toHaveLength(conversations.length * 2);
    expect(two.jobs.length).toBeGreaterThan(0);
  });

  test("take over from one that falls silent, and what that one still ends is not committed", async () => {
    const settings = ownKafkaSettings();
    onTestFinished(() => deleteTopic(settings));
    const gate = Promise.withResolvers<void>();
    const one = await startServing(settings, () => gate.promise);
    await one.queue.enqueue(round(1));
    await eventually(() => expect(one.jobs.length).toBeGreaterThan(conversations.length / 2));
    // As a crash is to the others: nothing of it is heard, and its calls never end here.
    await one.queue.close();
    const two = await startServing(settings);
    await drained(two.queue);
    expect(new Set(two.names()).size).toBe(conversations.length);
    gate.resolve();
    await two.queue.enqueue(round(2));
    await drained(two.queue);
    expect(two.jobs).toHaveLength(conversations.length * 2);
  });
});
