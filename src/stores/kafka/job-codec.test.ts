import { expect, test } from "vitest";
import { decodeJob, encodeJob, jobKey } from "./job-codec.ts";

const job = {
  conversationId: "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b",
  fromSeq: 7,
  toSeq: 9,
  chunk: 3,
  membership: 12,
};
const fields = JSON.parse(encodeJob(job).toString()) as Record<string, unknown>;

test("a job is its ids, under a key for its conversation and chunk", () => {
  expect(decodeJob(encodeJob(job))).toEqual(job);
  expect(jobKey(job).toString()).toBe(`${job.conversationId}:3`);
  expect(fields).toEqual({
    conversation: job.conversationId,
    from_seq: 7,
    to_seq: 9,
    chunk: 3,
    membership_version: 12,
  });
});

test("a field that is not known yet does no harm", () => {
  expect(decodeJob(Buffer.from(JSON.stringify({ ...fields, priority: 1 })))).toEqual(job);
});

test.each([
  ["nothing", null],
  ["no JSON", "{"],
  ["no object", "7"],
  ["null", "null"],
  ["no conversation", JSON.stringify({ ...fields, conversation: "x" })],
  ["rows from 0", JSON.stringify({ ...fields, from_seq: 0 })],
  ["rows that end before they begin", JSON.stringify({ ...fields, to_seq: 6 })],
  ["a chunk that there is not", JSON.stringify({ ...fields, chunk: 8 })],
  ["a version that is a fraction", JSON.stringify({ ...fields, membership_version: 0.5 })],
])("%s is no job", (_, text) => {
  expect(decodeJob(text === null ? null : Buffer.from(text))).toBeUndefined();
});
