import { expect, test } from "vitest";
import { createSeededRandom } from "../../base/random.ts";
import { createUuidV7 } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { chunkOf, fanOutJobs, isLarge } from "./chunks.ts";

test("a user's chunk follows from the id alone, the same in every process and version", () => {
  expect(chunkOf("018bcfe5-6800-7b34-83d0-a3f2d43e0701")).toBe(chunkOf("018bcfe5-6800-7b34-83d0-a3f2d43e0701"));
  const known = ["018bcfe5-6800-7b34-83d0-a3f2d43e0701", "018bcfe5-6800-7712-af90-9220f00c286a"].map(chunkOf);
  expect(known).toEqual([3, 6]);
});

test("chunks of a full group are of about one size, also when its members signed up one after the other", () => {
  const random = createSeededRandom(7);
  const sizes = Array.from({ length: limits.fanOutChunks }, () => 0);
  for (let index = 0; index < limits.membersPerGroupMax; index++) {
    const chunk = chunkOf(createUuidV7(1_700_000_000_000 + index, random));
    sizes[chunk] = (sizes[chunk] ?? 0) + 1;
  }
  const even = limits.membersPerGroupMax / limits.fanOutChunks;
  for (const size of sizes) expect(Math.abs(size - even)).toBeLessThan(even / 2);
});

test("a run of rows is one job a chunk", () => {
  const conversationId = "018bcfe5-6800-7b34-83d0-a3f2d43e0701";
  const jobs = fanOutJobs(conversationId, 3, 5, 9);
  expect(jobs.map((job) => job.chunk)).toEqual(Array.from({ length: limits.fanOutChunks }, (_, chunk) => chunk));
  for (const job of jobs) expect(job).toMatchObject({ conversationId, fromSeq: 3, toSeq: 5, membership: 9 });
});

test("large begins where one append can no longer list everyone", () => {
  expect([isLarge(limits.membersDirectFanOutMax), isLarge(limits.membersDirectFanOutMax + 1)]).toEqual([false, true]);
});
