import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test, vi } from "vitest";
import type { FanOutJob, QueuedJob } from "../../../src/core/ports/fan-out-queue.ts";
import { fanOutGroup, fanOutTopic, type KafkaSettings } from "../../../src/stores/kafka/settings.ts";
import { newId } from "../../contract/durable-harness.ts";
import { deleteTopic, openTestQueue, ownKafkaSettings, withAdmin } from "../../helpers/kafka.ts";
import { describeOn } from "../../helpers/real-stores.ts";

const conversations = Array.from({ length: 64 }, newId);

function round(seq: number): FanOutJob[] {
  return conversations.map((conversationId) => ({ conversationId, fromSeq: seq, toSeq: seq, chunk: 0, membership: 1 }));
}

function name({ conversationId, toSeq }: QueuedJob): string {
  return `${conversationId}/${toSeq}`;
}

function startWorker(settings: KafkaSettings) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, "worker.ts"), JSON.stringify(settings)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => void said.push(line));
  return { child, said };
}

/** Those among the members of the group that have partitions. */
async function servingMembers(settings: KafkaSettings): Promise<number> {
  const [group, topic] = [fanOutGroup(settings), fanOutTopic(settings)];
  const found = await withAdmin(settings, (admin) => admin.describeGroups({ groups: [group] }));
  const members = [...(found.get(group)?.members.values() ?? [])];
  return members.filter(({ assignments }) => (assignments?.get(topic)?.partitions.length ?? 0) > 0).length;
}

/** The last member of a group is reached within 30 s; a session that ends is most of that. */
function within30s(check: () => unknown): Promise<void> {
  return vi.waitFor(async () => void (await check()), { timeout: 30_000, interval: 50 });
}

describeOn(["kafka"], "a process that served large groups", () => {
  test("and was killed: all of its jobs come again elsewhere within 30 s", { timeout: 60_000 }, async () => {
    const settings = ownKafkaSettings();
    onTestFinished(() => deleteTopic(settings));
    const queue = await openTestQueue(settings);
    onTestFinished(() => queue.close());
    const { child, said } = startWorker(settings);
    await queue.enqueue(round(1));
    await within30s(() => expect(said.length).toBeGreaterThan(0));
    child.kill("SIGKILL");
    const served: QueuedJob[] = [];
    const consumption = await queue.consume(async (jobs) => void served.push(...jobs));
    await within30s(async () => expect((await queue.lag()).jobsWaiting).toBe(0));
    expect(new Set(served.map(name)).size).toBe(conversations.length);
    expect(served).toHaveLength(conversations.length);
    await consumption.stop();
  });

  test("and wakes after it was taken for dead: what it ends then moves nothing back", { timeout: 90_000 }, async () => {
    const settings = ownKafkaSettings();
    onTestFinished(() => deleteTopic(settings));
    const queue = await openTestQueue(settings);
    onTestFinished(() => queue.close());
    const { child, said } = startWorker(settings);
    await queue.enqueue(round(1));
    await within30s(() => expect(said.length).toBeGreaterThan(0));
    child.kill("SIGSTOP");
    const served: QueuedJob[] = [];
    const first = await queue.consume(async (jobs) => void served.push(...jobs));
    await within30s(async () => expect((await queue.lag()).jobsWaiting).toBe(0));
    await queue.enqueue(round(2));
    await within30s(async () => expect((await queue.lag()).jobsWaiting).toBe(0));
    expect(served).toHaveLength(2 * conversations.length);
    child.kill("SIGCONT");
    child.stdin.write("end\n");
    await within30s(() => expect(said).toContain("ended"));
    const waiting: number[] = [];
    const look = async (): Promise<number> => waiting.push((await queue.lag()).jobsWaiting);
    await within30s(async () => {
      await look();
      expect(await servingMembers(settings)).toBe(2);
    });
    // Longer than a commit that was refused waits for its next attempt.
    for (const startedAt = performance.now(); performance.now() - startedAt < 1_000;) await look();
    expect(Math.max(...waiting)).toBe(0);
    await queue.enqueue(round(3));
    await within30s(async () => expect((await queue.lag()).jobsWaiting).toBe(0));
    await first.stop();
    const done = [...served.map(name), ...said.filter((line) => line !== "ended")];
    expect(new Set(done).size).toBe(3 * conversations.length);
    // Until it hears that it is no member it may do what others have done. After that everything is done once.
    const twice = done.filter((each, index) => done.indexOf(each) !== index);
    expect(twice.filter((each) => each.endsWith("/3"))).toEqual([]);
  });
});
